"""The recorded requests, answers and streams of the dialect, by name."""

import json
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parents[3] / "cassettes" / "openai_responses"
STREAMS = sorted(path.name.removesuffix("_stream.sse") for path in DIRECTORY.glob("*_stream.sse"))
WHOLE_STREAMS = [name for name in STREAMS if name != "failed"]


def recorded(name: str) -> dict[str, Any]:
    """Return a recorded exchange: `request` and `response`, or `error`."""
    found: dict[str, Any] = json.loads((DIRECTORY / f"{name}.json").read_text())
    return found


def request_of(name: str) -> bytes:
    """Return the body of a recorded request."""
    return json.dumps(recorded(name)["request"]).encode()


def response_of(name: str) -> bytes:
    """Return the body of a recorded answer."""
    return json.dumps(recorded(name)["response"]).encode()


def stream_of(name: str) -> bytes:
    """Return a recorded stream."""
    return (DIRECTORY / f"{name}_stream.sse").read_bytes()
