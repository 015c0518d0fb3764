"""A model's answer written as a plain completion, for clients of the older interface.

It has room for text only: what was thought or called is left out. Specification 2.3.0.
"""

from typing import Any

import msgspec

from kernel.errors import GatewayError
from providers.dialects import sse
from providers.dialects.canonical import Usage
from providers.dialects.codec import Asked, CostOf
from providers.dialects.conversation import (
    Answer,
    Choice,
    Ended,
    Event,
    Finish,
    Finished,
    Refusal,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    UsageReport,
)
from providers.dialects.openai_chat.errors import encode_error
from providers.dialects.openai_chat.finishes import write_finish
from providers.dialects.openai_chat.parts import Fields
from providers.dialects.openai_chat.stream import DONE
from providers.dialects.openai_chat.usage import write_usage


class _Alternative(msgspec.Struct):
    token: str
    logprob: float


class _Token(msgspec.Struct):
    token: str
    logprob: float
    top_logprobs: list[_Alternative] = []


_tokens = msgspec.json.Decoder(list[_Token])


def encode_completion(answer: Answer, asked: Asked) -> bytes:
    """Return the body of a plain completion."""
    fields: Fields = {
        "id": answer.id or asked.answer_id,
        "object": "text_completion",
        "created": asked.created_at_s,
        "model": answer.model or asked.model,
        "choices": [_write_choice(choice) for choice in answer.choices],
    }
    if answer.usage is not None:
        fields["usage"] = write_usage(answer.usage)
    return msgspec.json.encode(fields)


class CompletionEncoder:
    """Writes the chunks of a plain completion; a `codec.StreamEncoder`."""

    __slots__ = ("_asked", "_cost_of", "_id", "_model", "_offsets", "_usage")

    def __init__(self, asked: Asked, cost_of: CostOf) -> None:
        self._asked = asked
        self._cost_of = cost_of
        self._id = asked.answer_id
        self._model = asked.model
        self._offsets: dict[int, int] = {}
        self._usage: Usage | None = None

    def encode(self, events: list[Event]) -> bytes:
        """Return the chunks that say these events."""
        return b"".join([self._encode(event) for event in events])

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the event that ends the stream with an error."""
        return sse.encode(encode_error(error, request_id=request_id))

    def _encode(self, event: Event) -> bytes:
        match event:
            case TextDelta() | RefusalDelta():
                return self._write_text(event)
            case Started():
                self._id, self._model = event.id or self._id, event.model or self._model
            case Finished():
                return self._chunk([_piece(event.choice, "", None, _finish_of(event.finish))])
            case UsageReport():
                self._usage = event.usage
            case Ended():
                return self._write_usage() + DONE
        return b""

    def _write_text(self, event: TextDelta | RefusalDelta) -> bytes:
        offset = self._offsets.get(event.choice, 0)
        self._offsets[event.choice] = offset + len(event.text)
        tokens = event.logprobs if isinstance(event, TextDelta) else None
        return self._chunk([_piece(event.choice, event.text, _write_tokens(tokens, offset), None)])

    def _write_usage(self) -> bytes:
        if self._usage is None or not self._asked.head.wants_stream_usage:
            return b""
        usage = write_usage(self._usage)
        cost = self._cost_of(self._usage)
        if cost is not None:
            usage["cost"] = msgspec.Raw(cost)
        return self._chunk([], usage)

    def _chunk(self, choices: list[Fields], usage: Fields | None = None) -> bytes:
        fields: Fields = {
            "id": self._id,
            "object": "text_completion",
            "created": self._asked.created_at_s,
            "choices": choices,
            "model": self._model,
        }
        if self._asked.head.wants_stream_usage:
            fields["usage"] = usage
        return sse.encode(msgspec.json.encode(fields))


def _write_choice(choice: Choice) -> Fields:
    text = "".join(part.text for part in choice.parts if isinstance(part, Text | Refusal))
    return _piece(choice.index, text, _write_tokens(choice.logprobs, 0), _finish_of(choice.finish))


def _piece(index: int, text: str, logprobs: Fields | None, finish: str | None) -> Fields:
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish}


def _finish_of(finish: Finish) -> str:
    return "stop" if finish is Finish.TOOL_CALLS else write_finish(finish, refused=False)


def _write_tokens(raw: msgspec.Raw | None, offset: int) -> dict[str, Any] | None:
    """Return a chat's tokens as the older interface lists them: one list each for texts, figures and places."""
    if raw is None:
        return None
    try:
        tokens = _tokens.decode(raw)
    except msgspec.ValidationError:
        return None
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token.token)
    return {
        "tokens": [token.token for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [{other.token: other.logprob for other in token.top_logprobs} for token in tokens],
        "text_offset": offsets,
    }
