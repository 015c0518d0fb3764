"""How a caller tells the mock to behave: `[[mock status=429 retry_after=1]]` in a message, or the same as a query
behind the model's name (`mock-small?status=429&retry_after=1`), which a target can carry.

| direction | meaning |
|---|---|
| `status=N` | answer with that error status |
| `retry_after=S` | and ask to wait so many seconds |
| `fails=N` | misbehave only on the first N tries of a request |
| `fault=F` | one of `FAULTS`: no connection, a cut, HTML, an error in the stream, a cut after all was generated … |
| `cut_after=N` | pieces of a stream before `cut`, `stall` or `error_event` |
| `tokens=N` | length of the answer |
| `cached=N`, `cache_write=N`, `audio_in=N` | so much of the prompt was cached, went into the cache, was sound |
| `reasoning=N`, `audio_out=N` | so many tokens of that kind besides the answer's own |
| `delay_ms=N`, `pace_ms=N` | wait before the head, and before each piece |
| `tool=1` | call the first tool offered |
"""

import re
from typing import Annotated, Literal, get_args
from urllib.parse import parse_qsl

import msgspec

Fault = Literal[
    "",
    "connect",
    "reset",
    "stall",
    "cut",
    "error_event",
    "html",
    "truncated",
    "empty",
    "no_content",
    "wrong_type",
    "not_json",
    "huge_headers",
    "no_done",
    "no_usage",
    "error_after",
]
TOKENS_MAX = 1_000_000
FAULTS = frozenset(get_args(Fault)) - {""}

Count = Annotated[int, msgspec.Meta(ge=0, le=TOKENS_MAX)]

_IN_TEXT = re.compile(r"\[\[mock ([^\]]*)\]\]")


class Directions(msgspec.Struct, frozen=True):
    """What the mock was told; times in milliseconds but for `retry_after`, which is in seconds."""

    status: int = 0
    retry_after: float | None = None
    fails: int | None = None
    fault: Fault = ""
    cut_after: int = 2
    tokens: Count | None = None
    cached: Count = 0
    cache_write: Count = 0
    audio_in: Count = 0
    reasoning: Count = 0
    audio_out: Count = 0
    delay_ms: int = 0
    pace_ms: int = 0
    tool: int = 0


def read_directions(*, model: str, text: str) -> tuple[str, Directions]:
    """Return the plain model name and the directions; those in the text go before those of the model.

    Raises ValueError for a direction that does not exist or has a wrong value.
    """
    name, _, query = model.partition("?")
    words = dict(parse_qsl(query))
    for inside in _IN_TEXT.findall(text):
        words.update(word.partition("=")[::2] for word in inside.split())
    unknown = words.keys() - set(Directions.__struct_fields__)
    if unknown:
        raise ValueError(f"no such mock direction: {', '.join(sorted(unknown))}")
    try:
        return name, msgspec.convert(words, Directions, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"bad mock direction: {error}") from error


def without_directions(text: str) -> str:
    """Return a text without its directions."""
    return _IN_TEXT.sub("", text).strip()
