"""What every candidate is asked and answered, so that the load generator and the upstream agree on it.

A request is about 1 KB, its answer about 700 bytes with usage, a streamed chunk about 230 bytes: the size of ordinary
chat traffic. How long and how fast a stream runs travels inside the message text, because that is the one field every
gateway hands on untouched.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

UPSTREAM_MODEL: Final = "gpt-4o-mini"
ROUTE_MODEL: Final = "bench-model"
CLIENT_KEY: Final = "sk-bench-0123456789abcdef0123456789abcdef"
UPSTREAM_KEY: Final = "upstream-secret"

PARAGRAPH: Final = (
    "Summarise the following note for a colleague who has two minutes and no background in the subject. "
    "Keep the names, the dates and the amounts as they stand, and say plainly what is not known yet. "
)
_STREAM_PLAN: Final = re.compile(rb"chunks=(\d+) pace_ms=(\d+)")


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How many chunks a stream has and how far apart the upstream sends them."""

    chunks: int
    pace_ms: int

    def marker(self) -> str:
        """Return the words that carry the plan inside a message."""
        return f"chunks={self.chunks} pace_ms={self.pace_ms}"


PACED: Final = StreamPlan(chunks=100, pace_ms=10)
SATURATING: Final = StreamPlan(chunks=500, pace_ms=1)
HELD_OPEN: Final = StreamPlan(chunks=120, pace_ms=1000)


def read_plan(body: bytes) -> StreamPlan:
    """Return the plan a request body carries, or the ordinary one."""
    found = _STREAM_PLAN.search(body)
    return StreamPlan(int(found[1]), int(found[2])) if found else PACED


def request_body(model: str, *, number: int = 0, plan: StreamPlan | None = None) -> bytes:
    """Return one chat completion request; `number` keeps requests distinct, so that no cache answers in our stead."""
    note = f"Note {number:04d}. " + PARAGRAPH * 4
    document = {
        "model": model,
        "messages": [
            {"role": "system", "content": "You are a careful assistant."},
            {"role": "user", "content": note + (plan.marker() if plan else "")},
        ],
        "temperature": 0.2,
        "max_tokens": 256,
    }
    if plan:
        document["stream"] = True
    return json.dumps(document, separators=(",", ":")).encode()


def unary_answer() -> bytes:
    """Return one chat completion of about 700 bytes."""
    return _compact(
        {
            "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
            "object": "chat.completion",
            "created": 1741569952,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": PARAGRAPH, "refusal": None, "annotations": []},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 210,
                "completion_tokens": 42,
                "total_tokens": 252,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
            "service_tier": "default",
            "system_fingerprint": "fp_06737a9306",
        }
    )


def content_chunk() -> bytes:
    """Return one streamed event of about 230 bytes."""
    return _event({"role": "assistant", "content": " tokens"}, finish_reason=None)


def last_chunk() -> bytes:
    """Return the event that says why the stream stopped."""
    return _event({}, finish_reason="stop")


def usage_chunk() -> bytes:
    """Return the event a caller gets who asked for `stream_options.include_usage`."""
    usage = {"prompt_tokens": 210, "completion_tokens": 100, "total_tokens": 310}
    return b"data: " + _compact({**_CHUNK_HEAD, "choices": [], "usage": usage}) + b"\n\n"


DONE: Final = b"data: [DONE]\n\n"

_CHUNK_HEAD: Final[dict[str, object]] = {
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    "object": "chat.completion.chunk",
    "created": 1741569952,
    "model": "gpt-4o-mini-2024-07-18",
}


def _event(delta: dict[str, str], *, finish_reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + _compact({**_CHUNK_HEAD, "choices": [choice]}) + b"\n\n"


def _compact(document: dict[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
