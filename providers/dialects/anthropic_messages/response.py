"""A whole answer, read and written: Anthropic's `message` (anthropic-python 2.11, `types/message.py`)."""

from typing import Any

import msgspec

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.anthropic_messages.blocks import read_blocks
from providers.dialects.anthropic_messages.citations import write_citation
from providers.dialects.anthropic_messages.finish import read_finish, write_reason
from providers.dialects.anthropic_messages.signatures import seal, seal_tool
from providers.dialects.anthropic_messages.usage import WireUsage, read_usage, write_usage
from providers.dialects.canonical import Dialect
from providers.dialects.codec import Asked, Facts
from providers.dialects.conversation import Answer, Choice, Image, Opaque, Part, Refusal, Text, Thinking, ToolCall
from providers.dialects.facts import facts_of


class _Message(msgspec.Struct):
    content: list[msgspec.Raw]
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: WireUsage | None = None


_message = msgspec.json.Decoder(_Message)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_answer(body: bytes) -> Answer:
    """Return the answer. Raises UpstreamBroken where the bytes are none."""
    try:
        message = _message.decode(body)
        parts = tuple(read_blocks(message.content, "content"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidRequest) as error:
        raise UpstreamBroken(_describe(body)) from error
    choice = Choice(parts, read_finish(message.stop_reason or ""), stop_sequence=message.stop_sequence or "")
    return Answer(
        choices=(choice,),
        id=message.id or "",
        model=message.model or "",
        usage=read_usage(message.usage) if message.usage else None,
        service_tier=(message.usage.service_tier or "") if message.usage else "",
    )


def encode_answer(answer: Answer, asked: Asked) -> bytes:
    """Return the body of an answer; the first of its choices, for the dialect has but one."""
    choice = answer.choices[0]
    usage = write_usage(answer.usage)
    if answer.service_tier in ("standard", "priority", "batch"):
        usage["service_tier"] = answer.service_tier
    message = start_of(answer.id or asked.answer_id, answer.model or asked.model, usage)
    message["content"] = [block for part in choice.parts for block in _write(part)]
    message["stop_reason"] = write_reason(choice.finish)
    message["stop_sequence"] = choice.stop_sequence or None
    return msgspec.json.encode(message)


def start_of(identity: str, model: str, usage: dict[str, Any]) -> dict[str, Any]:
    """Return a message that says nothing yet."""
    return {
        "id": identity,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def image_block(part: Image) -> dict[str, Any]:
    """Return a picture in the form that requests have; answers of the vendor's own models hold none."""
    source = part.source
    if source.data:
        return {
            "type": "image",
            "source": {"type": "base64", "media_type": source.media_type or "image/png", "data": source.data},
        }
    return {"type": "image", "source": {"type": "url", "url": source.url}}


def read_facts(body: bytes) -> Facts:
    """Return what accounting needs of an answer; one of an odd form is counted by its size.

    Raises UpstreamBroken where the bytes are no answer.
    """
    try:
        return facts_of(decode_answer(body))
    except UpstreamBroken:
        if not _is_message(body):
            raise
        return Facts(output_bytes=len(body))


def _write(part: Part) -> list[Any]:  # noqa: PLR0911 - one line a kind of part
    match part:
        case Text():
            block: dict[str, Any] = {"type": "text", "text": part.text}
            if part.citations:
                block["citations"] = [write_citation(citation) for citation in part.citations]
            return [block] if part.text or part.citations else []
        case Refusal():
            return [{"type": "text", "text": part.text}] if part.text else []
        case Thinking():
            return _write_thinking(part)
        case ToolCall():
            call = {"type": "tool_use", "id": part.id, "name": part.name, "input": _input(part.arguments)}
            return [*_write_signature(part), call]
        case Image():
            return [image_block(part)]
        case Opaque() if part.dialect is Dialect.ANTHROPIC:
            return [part.raw]
    return []


def _write_thinking(part: Thinking) -> list[Any]:
    blocks: list[Any] = []
    if part.text or part.signature:
        signature = seal(part.signature, part.dialect, part.id)
        blocks.append({"type": "thinking", "thinking": part.text, "signature": signature})
    if part.redacted:
        blocks.append({"type": "redacted_thinking", "data": seal(part.redacted, part.dialect, part.id)})
    return blocks


def _write_signature(part: ToolCall) -> list[Any]:
    if not part.signature:
        return []
    return [{"type": "redacted_thinking", "data": seal_tool(part.signature, part.dialect)}]


def _input(arguments: str) -> Any:
    """Return the input of a tool; what a model wrote that is no JSON object stands in it as it is, to be seen."""
    if not arguments.strip():
        return {}
    try:
        _object.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return {"arguments": arguments}
    return msgspec.Raw(arguments.encode())


def _is_message(body: bytes) -> bool:
    try:
        return "content" in _object.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _describe(body: bytes) -> str:
    start = body.lstrip()[:1]
    if not start:
        return "the provider's answer is empty"
    if start == b"<":
        return "the provider answered with HTML instead of JSON"
    return "the provider's answer is not a message"
