"""What a provider says in each dialect: a whole answer, and the pieces of a streamed one, ready as bytes.

The stub that every candidate calls and the measurement in the process say the same, so that their figures can be
compared. Shapes are those of the vendors' references and SDKs of November 2026; each says the same words.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from zlib import crc32

from benchmarks import workload
from providers.dialects.canonical import Dialect

_WORDS: Final = " tokens"
_EVENT_STREAM: Final = "application/vnd.amazon.eventstream"
_SERVER_SENT: Final = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Speech:
    """A dialect's answers. A stream is `opening`, then `chunks` in turn as often as wanted, then `closing`.

    Chunks differ where a vendor's do in more than their words: a usage that grows has to be read each time.
    """

    answer: bytes
    opening: bytes
    chunks: tuple[bytes, ...]
    closing: bytes
    stream_type: str = _SERVER_SENT

    def stream(self, count: int) -> list[bytes]:
        """Return a stream of `count` chunks as the pieces that arrive one by one; the end comes by itself."""
        pieces = [self.chunks[number % len(self.chunks)] for number in range(count)]
        return [self.opening + pieces[0], *pieces[1:], self.closing]


def frame(kind: str, payload: Mapping[str, object]) -> bytes:
    """Return one message of Amazon's event streams, as the Smithy specification frames it."""
    named = ((":event-type", kind), (":content-type", "application/json"), (":message-type", "event"))
    headers = b"".join(_header(name, value) for name, value in named)
    body = _json(payload)
    prelude = struct.pack(">II", len(headers) + len(body) + 16, len(headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + headers + body
    return message + struct.pack(">I", crc32(message))


def _header(name: str, value: str) -> bytes:
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value)) + value.encode()


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _data(document: Mapping[str, object]) -> bytes:
    return b"data: " + _json(document) + b"\n\n"


def _named(document: Mapping[str, object]) -> bytes:
    return b"event: " + str(document["type"]).encode() + b"\n" + _data(document)


def _openai() -> Speech:
    closing = workload.last_chunk() + workload.usage_chunk() + workload.DONE
    return Speech(workload.unary_answer(), b"", (workload.content_chunk(),), closing)


def _anthropic() -> Speech:
    usage = {"input_tokens": 210, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 42}
    message: dict[str, object] = {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage | {"service_tier": "standard"},
    }
    text = {"type": "text", "text": workload.PARAGRAPH}
    delta = {"type": "text_delta", "text": _WORDS}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    return Speech(
        answer=_json(message | {"content": [text], "stop_reason": "end_turn"}),
        opening=_named({"type": "message_start", "message": message})
        + _named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        + _named({"type": "ping"}),
        chunks=(_named({"type": "content_block_delta", "index": 0, "delta": delta}),),
        closing=_named({"type": "content_block_stop", "index": 0})
        + _named({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 100}})
        + _named({"type": "message_stop"}),
    )


def _gemini() -> Speech:
    def chunk(text: str, output_tokens: int, **reason: str) -> dict[str, object]:
        content = {"parts": [{"text": text}], "role": "model"}
        usage = {
            "promptTokenCount": 210,
            "candidatesTokenCount": output_tokens,
            "totalTokenCount": 210 + output_tokens,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 210}],
        }
        return {
            "candidates": [{"content": content, **reason, "index": 0}],
            "usageMetadata": usage,
            "modelVersion": "gemini-3.7-flash",
            "responseId": "kTq2aJb1G5mZ1dkP4cXYqAk",
        }

    return Speech(
        answer=_json(chunk(workload.PARAGRAPH, 42, finishReason="STOP")),
        opening=b"",
        chunks=(_data(chunk(_WORDS, 1)), _data(chunk(_WORDS, 2))),
        closing=_data(chunk(_WORDS, 100, finishReason="STOP")),
    )


def _converse() -> Speech:
    usage = {"inputTokens": 210, "outputTokens": 42, "totalTokens": 252}
    message = {"role": "assistant", "content": [{"text": workload.PARAGRAPH}]}
    delta = {"contentBlockIndex": 0, "delta": {"text": _WORDS}, "p": "abcdefghijklmnopqrstuvwxyzABCD"}
    return Speech(
        answer=_json(
            {
                "metrics": {"latencyMs": 551},
                "output": {"message": message},
                "stopReason": "end_turn",
                "usage": usage,
            }
        ),
        opening=frame("messageStart", {"role": "assistant", "p": "abcd"}),
        chunks=(frame("contentBlockDelta", delta),),
        closing=frame("contentBlockStop", {"contentBlockIndex": 0, "p": "abcdef"})
        + frame("messageStop", {"stopReason": "end_turn", "p": "abcdefgh"})
        + frame("metadata", {"metrics": {"latencyMs": 551}, "usage": usage, "p": "abcdefghij"}),
        stream_type=_EVENT_STREAM,
    )


def _responses() -> Speech:
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    item = {"id": "msg_68c1f0a5", "type": "message", "status": "in_progress", "role": "assistant", "content": []}
    said = item | {"status": "completed", "content": [part | {"text": workload.PARAGRAPH}]}
    begun = {
        "id": "resp_68c1f0a4",
        "object": "response",
        "created_at": 1794000000,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": "gpt-5-mini-2025-08-07",
        "output": [],
        "usage": None,
    }
    usage = {
        "input_tokens": 210,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 42,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 252,
    }
    whole = begun | {"status": "completed", "output": [said], "usage": usage}
    where = {"item_id": "msg_68c1f0a5", "output_index": 0, "content_index": 0}

    def event(kind: str, number: int, **fields: object) -> bytes:
        return _named({"type": f"response.{kind}", "sequence_number": number, **fields})

    return Speech(
        answer=_json(whole),
        opening=event("created", 0, response=begun)
        + event("in_progress", 1, response=begun)
        + event("output_item.added", 2, output_index=0, item=item)
        + event("content_part.added", 3, part=part, **where),
        chunks=(event("output_text.delta", 4, **where, delta=_WORDS, logprobs=[], obfuscation="x7Pq2Lw9e"),),
        closing=event("output_text.done", 5, **where, text=workload.PARAGRAPH, logprobs=[])
        + event("output_item.done", 6, output_index=0, item=said)
        + event("completed", 7, response=whole),
    )


SPEECHES: Mapping[Dialect, Speech] = MappingProxyType(
    {
        Dialect.OPENAI: _openai(),
        Dialect.ANTHROPIC: _anthropic(),
        Dialect.GEMINI: _gemini(),
        Dialect.CONVERSE: _converse(),
        Dialect.RESPONSES: _responses(),
    }
)
