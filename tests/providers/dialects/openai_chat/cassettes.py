"""The recorded shapes of this dialect."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "cassettes" / "openai"
STREAMS = ("chat_stream.sse", "tools_stream.sse", "reasoning_stream.sse")


def read(name: str) -> dict[str, Any]:
    found = json.loads((FOLDER / name).read_bytes())
    assert isinstance(found, dict)
    return found


def read_response(name: str) -> bytes:
    return json.dumps(read(name)["response"]).encode()


def read_request(name: str) -> bytes:
    return json.dumps(read(name)["request"]).encode()


def read_stream(name: str) -> bytes:
    return (FOLDER / name).read_bytes()
