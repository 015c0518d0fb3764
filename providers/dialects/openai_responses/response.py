"""Whole answers: written as the full resource, read from one, and looked at where one passes as it is."""

from typing import Any

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.codec import Asked, Facts
from providers.dialects.conversation import Answer, Choice, Finish, Refusal, Text, Thinking, ToolCall
from providers.dialects.openai_responses import wire
from providers.dialects.openai_responses.ending import incomplete_reason, read_finish, status_of
from providers.dialects.openai_responses.errors import code_of
from providers.dialects.openai_responses.output_items import ItemIds, read_output, write_output
from providers.dialects.openai_responses.resource import Resource, resource_of, served_tier
from providers.dialects.openai_responses.usage import WireUsage, read_usage, write_usage

_NOTHING = Choice((), Finish.STOP)


class Incomplete(msgspec.Struct):
    """Why a response is incomplete."""

    reason: str | None = None


class Complaint(msgspec.Struct):
    """Why a response failed."""

    code: str | None = None
    message: str | None = None


class Body(msgspec.Struct):
    """A response as far as it is read."""

    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[msgspec.Raw] | None = None
    usage: WireUsage | None = None
    incomplete_details: Incomplete | None = None
    error: Complaint | None = None
    service_tier: str | None = None

    @property
    def finish(self) -> Finish:
        """Return why it ended."""
        reason = self.incomplete_details.reason if self.incomplete_details else None
        return read_finish(self.status or "completed", reason or "", self._kinds())

    @property
    def failure(self) -> UpstreamBroken | None:
        """Return the error that a failed response reports."""
        if self.status not in ("failed", "cancelled"):
            return None
        said = self.error or Complaint()
        message = said.message or f"the provider's response is {self.status}"
        return UpstreamBroken(message, code=code_of(said.code or "") or "upstream_error")

    def _kinds(self) -> list[str]:
        kinds = []
        for raw in self.output or ():
            kind = wire.KIND.decode(raw).type or ""
            kinds.append(kind)
            if kind == "message":
                content = wire.ANSWERED.decode(raw).content or ()
                kinds += [] if isinstance(content, str) else [wire.KIND.decode(part).type or "" for part in content]
        return kinds


BODY = msgspec.json.Decoder(Body)


def encode_answer(answer: Answer, asked: Asked) -> bytes:
    """Return the resource of a whole answer; of several choices the first, since there is one here."""
    choice = answer.choices[0] if answer.choices else _NOTHING
    resource = resource_of(asked, model=answer.model)
    resource["output"] = write_output(choice, ItemIds(asked.answer_id))
    resource["usage"] = write_usage(answer.usage)
    if answer.service_tier:
        resource["service_tier"] = served_tier(answer.service_tier)
    return msgspec.json.encode(finished(resource, choice.finish))


def finished(resource: Resource, finish: Finish) -> Resource:
    """Return a resource with what its end says."""
    status = status_of(finish)
    reason = incomplete_reason(finish)
    end: dict[str, Any] = {"status": status, "incomplete_details": {"reason": reason} if reason else None}
    if status == "completed":
        end["completed_at"] = resource["created_at"]  # nothing here reads a clock
    if status == "failed":
        end["error"] = {"code": "server_error", "message": "the model gave no valid answer"}
    return resource | end


def decode_answer(body: bytes) -> Answer:
    """Return a whole answer. Raises UpstreamBroken where the bytes are none, or tell of a failure."""
    try:
        wire_body = _decode(body)
        if wire_body.failure is not None:
            raise wire_body.failure
        parts = read_output(wire_body.output or ())
        finish = wire_body.finish
    except wire.BROKEN as error:
        raise UpstreamBroken(f"the provider's answer has an item of a wrong form: {error}") from error
    choice = Choice(tuple(parts), finish, logprobs=_logprobs_of(wire_body))
    return Answer(
        choices=(choice,),
        id=wire_body.id or "",
        model=wire_body.model or "",
        usage=read_usage(wire_body.usage),
        service_tier=wire_body.service_tier or "",
    )


def read_facts(body: bytes) -> Facts:
    """Return what accounting needs of an answer that passes. Raises UpstreamBroken where the bytes are none."""
    try:
        wire_body = _decode(body)
        parts = read_output(wire_body.output or ())
        finish = wire_body.finish
    except wire.BROKEN:  # an answer still, though an odd one; it is passed on and counted by its size
        return Facts(output_bytes=len(body))
    texts = [part.text for part in parts if isinstance(part, Text | Refusal | Thinking)]
    texts += [part.arguments for part in parts if isinstance(part, ToolCall)]
    size = sum(len(text.encode(errors="surrogatepass")) for text in texts)
    return Facts(usage=read_usage(wire_body.usage), finish_reason=finish.value, output_bytes=size)


def _decode(body: bytes) -> Body:
    try:
        found = BODY.decode(body)
    except msgspec.ValidationError as error:
        if body.lstrip()[:1] == b"{":
            raise
        raise UpstreamBroken("the provider's answer is not a JSON object") from error
    except wire.BROKEN as error:
        raise UpstreamBroken(_describe(body)) from error
    if found.output is None and found.failure is None:
        raise UpstreamBroken("the provider's answer has no output")
    return found


def _logprobs_of(body: Body) -> msgspec.Raw | None:
    """Return the probabilities of all texts in one list, as chat has them."""
    found: list[msgspec.Raw] = []
    for raw in body.output or ():
        if wire.KIND.decode(raw).type != "message":
            continue
        content = wire.ANSWERED.decode(raw).content or ()
        for part in () if isinstance(content, str) else content:
            if wire.KIND.decode(part).type == "output_text":
                found += wire.TEXT.decode(part).logprobs or ()
    return wire.raw_of(found) if found else None


def _describe(body: bytes) -> str:
    if not body.strip():
        return "the provider's answer is empty"
    if body.lstrip()[:1] == b"<":
        return "the provider answered with HTML instead of JSON"
    return "the provider's JSON answer is cut short or malformed"
