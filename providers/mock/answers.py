"""The mock's answers: the same request always gets the same one, in OpenAI's form, with usage that adds up."""

import base64
import hashlib
import struct
from dataclasses import dataclass
from typing import Any

import msgspec

from providers.dialects import sse
from providers.dialects.canonical import Usage, estimate_tokens
from providers.mock.directions import Directions, without_directions

CREATED_AT_S = 1_760_000_000
DEFAULT_DIMENSIONS = 64
DIMENSIONS_MAX = 8192  # the mock computes beside everybody's calls
_FILLER = ("the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, which can be told whole or as a stream."""

    id: str
    model: str
    chat: bool
    pieces: tuple[str, ...]
    tool_call: dict[str, Any] | None
    finish_reason: str
    counts: Usage
    include_usage: bool

    def whole(self, *, with_usage: bool) -> bytes:
        """Tell it as one JSON object."""
        choice: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": self.finish_reason}
        if not self.chat:
            choice["text"] = "".join(self.pieces)
        elif self.tool_call:
            choice["message"] = {"role": "assistant", "content": None, "tool_calls": [self.tool_call]}
        else:
            choice["message"] = {"role": "assistant", "content": "".join(self.pieces), "refusal": None}
        answer = self._frame("chat.completion" if self.chat else "text_completion") | {"choices": [choice]}
        return msgspec.json.encode(answer | ({"usage": self.usage()} if with_usage else {}))

    def events(self, *, with_usage: bool) -> list[bytes]:
        """Tell it as server-sent events, the last one `[DONE]`."""
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}] if self.chat else []
        if self.tool_call:
            deltas += _tool_deltas(self.tool_call)
        else:
            deltas += [{"content": piece} for piece in self.pieces]
        events = [self._event([self._choice(delta, None)]) for delta in deltas]
        events.append(self._event([self._choice({}, self.finish_reason)]))
        if self.include_usage and with_usage:
            events.append(self._event([], usage=self.usage()))
        return [*events, sse.encode(b"[DONE]")]

    def usage(self) -> dict[str, Any]:
        """Tell what the answer used."""
        counts = self.counts
        into = {"cached_tokens": counts.cached_input_tokens, "audio_tokens": counts.audio_input_tokens}
        if counts.cache_write_tokens:
            into["cache_write_tokens"] = counts.cache_write_tokens
        out = {"reasoning_tokens": counts.reasoning_tokens, "audio_tokens": counts.audio_output_tokens}
        return {
            "prompt_tokens": counts.input_tokens,
            "completion_tokens": counts.output_tokens,
            "total_tokens": counts.total_tokens,
            "prompt_tokens_details": into,
            "completion_tokens_details": out,
        }

    def _choice(self, delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
        inner = {"delta": delta} if self.chat else {"text": delta.get("content", "")}
        return {"index": 0, **inner, "logprobs": None, "finish_reason": finish_reason}

    def _event(self, choices: list[dict[str, Any]], *, usage: dict[str, Any] | None = None) -> bytes:
        chunk = self._frame("chat.completion.chunk" if self.chat else "text_completion") | {"choices": choices}
        if self.include_usage:
            chunk["usage"] = usage
        return sse.encode(msgspec.json.encode(chunk))

    def _frame(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": CREATED_AT_S,
            "model": self.model,
            "system_fingerprint": "mock",
        }


def write_reply(request: dict[str, Any], model: str, directions: Directions, *, chat: bool) -> Reply:
    """Decide what is said to a chat or completion request."""
    text = prompt_text(request)
    tool_call = _tool_call(request, directions) if chat else None
    pieces = () if tool_call else _pieces(request, without_directions(_last_text(request)), directions)
    limit = _limit_of(request, directions)
    cut = limit is not None and len(pieces) > limit
    pieces = pieces[:limit] if cut else pieces
    identity = hashlib.sha256(msgspec.json.encode(request)).hexdigest()[:24]
    return Reply(
        id=f"{'chatcmpl' if chat else 'cmpl'}-mock{identity}",
        model=model,
        chat=chat,
        pieces=pieces,
        tool_call=tool_call,
        finish_reason="tool_calls" if tool_call else "length" if cut else "stop",
        counts=_count(text, directions, shown_tokens=len(pieces) + (1 if tool_call else 0)),
        include_usage=bool((request.get("stream_options") or {}).get("include_usage")),
    )


def count_embedding(request: dict[str, Any]) -> Usage:
    """Count what an embeddings request uses."""
    return Usage(input_tokens=sum(max(1, estimate_tokens(len(text.encode()))) for text in _texts(request)))


def embedding(request: dict[str, Any], model: str) -> bytes:
    """Answer an embeddings request with vectors that depend on nothing but the text."""
    dimensions = request.get("dimensions") or DEFAULT_DIMENSIONS
    if dimensions > DIMENSIONS_MAX:
        raise ValueError(f"dimensions must be at most {DIMENSIONS_MAX}")
    vectors = [_vector(text, dimensions) for text in _texts(request)]
    as_base64 = request.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _pack(vector) if as_base64 else vector}
        for index, vector in enumerate(vectors)
    ]
    tokens = count_embedding(request).input_tokens
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return msgspec.json.encode({"object": "list", "data": data, "model": model, "usage": usage})


def prompt_text(request: dict[str, Any]) -> str:
    """Return all the text a request carries."""
    if "messages" in request:
        return "\n".join(_text_of(message.get("content")) for message in request["messages"])
    return _text_of(request.get("prompt", request.get("input", "")))


def _last_text(request: dict[str, Any]) -> str:
    messages = request.get("messages")
    return _text_of(messages[-1].get("content")) if messages else _text_of(request.get("prompt", ""))


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(
            part if isinstance(part, str) else str(part.get("text", "")) if isinstance(part, dict) else ""
            for part in content
        )
    return ""


def _texts(request: dict[str, Any]) -> list[str]:
    given = request.get("input", "")
    texts = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    return [str(text) for text in texts]


def _limit_of(request: dict[str, Any], directions: Directions) -> int | None:
    """Return how many tokens may be shown; what is generated unseen comes first and counts as well."""
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    return max(0, limit - directions.reasoning - directions.audio_out) if isinstance(limit, int) else None


def _count(text: str, directions: Directions, *, shown_tokens: int) -> Usage:
    """Count an answer; parts of the prompt are never larger than the prompt."""
    whole = left = max(1, estimate_tokens(len(text.encode())))
    parts = []
    for part in (directions.cached, directions.cache_write, directions.audio_in):
        parts.append(min(part, left))
        left -= parts[-1]
    return Usage(
        input_tokens=whole,
        cached_input_tokens=parts[0],
        cache_write_tokens=parts[1],
        audio_input_tokens=parts[2],
        output_tokens=shown_tokens + directions.reasoning + directions.audio_out,
        reasoning_tokens=directions.reasoning,
        audio_output_tokens=directions.audio_out,
    )


def _pieces(request: dict[str, Any], said: str, directions: Directions) -> tuple[str, ...]:
    if directions.tokens is not None:
        words = [_FILLER[n % len(_FILLER)] for n in range(directions.tokens)]
    else:
        words = f"You said: {said or 'nothing'}".split()
    return tuple(word if n == 0 else f" {word}" for n, word in enumerate(words))


def _tool_call(request: dict[str, Any], directions: Directions) -> dict[str, Any] | None:
    tools = request.get("tools") or []
    choice = request.get("tool_choice")
    if not tools or not (directions.tool or choice == "required" or isinstance(choice, dict)):
        return None
    function = tools[0].get("function", {})
    properties = (function.get("parameters") or {}).get("properties") or {}
    arguments = {name: _sample(schema) for name, schema in properties.items()}
    inner = {"name": function.get("name", ""), "arguments": msgspec.json.encode(arguments).decode()}
    return {"id": "call_mock1", "type": "function", "function": inner}


def _sample(schema: dict[str, Any]) -> Any:
    samples = {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    return (schema.get("enum") or [samples.get(schema.get("type", ""), "mock")])[0]


def _tool_deltas(call: dict[str, Any]) -> list[dict[str, Any]]:
    arguments = call["function"]["arguments"]
    middle = len(arguments) // 2
    head = call | {"index": 0, "function": {"name": call["function"]["name"], "arguments": ""}}
    parts = [{"index": 0, "function": {"arguments": part}} for part in (arguments[:middle], arguments[middle:])]
    return [{"tool_calls": [part]} for part in (head, *parts)]


def _vector(text: str, dimensions: int) -> list[float]:
    raw = hashlib.shake_256(text.encode()).digest(dimensions * 2)
    values = [int.from_bytes(raw[n * 2 : n * 2 + 2], "little") / 32768 - 1 for n in range(dimensions)]
    length = sum(value * value for value in values) ** 0.5 or 1.0
    return [struct.unpack("<f", struct.pack("<f", value / length))[0] for value in values]


def _pack(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
