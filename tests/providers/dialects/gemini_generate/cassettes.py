"""What Gemini says, as its specification has it."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "cassettes" / "gemini"
STREAMS = sorted(path.name for path in FOLDER.glob("*.sse") if path.name != "failed_stream.sse")
_OTHERS = ("count", "embeddings", "error", "failed")
EXCHANGES = sorted(path.name for path in FOLDER.glob("*.json") if not path.name.startswith(_OTHERS))


def read(name: str) -> dict[str, Any]:
    """Return what a file holds."""
    held: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return held


def request(name: str) -> bytes:
    """Return the request of an exchange."""
    return json.dumps(read(name)["request"]).encode()


def response(name: str) -> bytes:
    """Return the answer of an exchange."""
    return json.dumps(read(name)["response"]).encode()


def stream(name: str) -> bytes:
    """Return the bytes of a stream."""
    return (FOLDER / name).read_bytes()
