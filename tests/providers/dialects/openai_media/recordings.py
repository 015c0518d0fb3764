"""Recorded requests and answers of the vendor's pages, and the values that tests share."""

from pathlib import Path
from typing import Any

import msgspec

from providers.dialects.canonical import Capabilities, Head
from providers.dialects.codec import Asked, PathFacts, Upstream

FOLDER = Path(__file__).resolve().parents[3] / "cassettes" / "openai"
NO_PATH = PathFacts()


def load(name: str) -> dict[str, Any]:
    """Return a JSON recording."""
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=dict[str, Any])


def stream(name: str) -> bytes:
    """Return a recorded stream."""
    return (FOLDER / f"{name}.sse").read_bytes()


def encode(value: Any, **changes: Any) -> bytes:
    """Return a JSON body, with fields changed; a field that is None is left out."""
    fields = {name: field for name, field in (value | changes).items() if field is not None}
    return msgspec.json.encode(fields)


def upstream(model: str = "up") -> Upstream:
    """Return what a request is written for."""
    return Upstream(model=model, capabilities=Capabilities())


def asked(head: Head, body: bytes) -> Asked:
    """Return what writing an answer needs."""
    return Asked(head=head, body=body, model="m", answer_id="ans-1", created_at_s=1_763_700_000)
