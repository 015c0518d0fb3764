"""The recorded answers, and what encoders are told beside them."""

import json
from pathlib import Path
from typing import Any

from providers.dialects.canonical import Head
from providers.dialects.codec import Asked

FOLDER = Path(__file__).parents[3] / "cassettes" / "anthropic"
STREAMS = ("chat_stream.sse", "tools_stream.sse", "reasoning_stream.sse", "search_stream.sse")
ANSWERS = ("chat.json", "tools.json", "reasoning.json", "search.json", "documents.json", "usage_cache.json")
ASKED = Asked(head=Head(model="route"), body=b"{}", model="route", answer_id="msg_own", created_at_s=1)


def cassette(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


def stream(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def events_of(data: bytes) -> list[dict[str, Any]]:
    """Return the data of each event, after a look at its name."""
    found = []
    for event in data.decode().split("\n\n")[:-1]:
        name, _, rest = event.partition("\n")
        value = json.loads(rest.removeprefix("data: "))
        assert name == f"event: {value['type']}"
        found.append(value)
    return found
