"""Each kind of content is read, and what is not known stays as it is."""

import json
from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Audio, Document, Image, Opaque, Part, Refusal, Source, Text, Thinking, Video
from providers.dialects.openai_chat.parts import read_content, read_part, write_mark


def _read(part: Any) -> Part:
    return read_part(msgspec.Raw(json.dumps(part).encode()), "at")


@pytest.mark.parametrize(
    ("wire", "part"),
    [
        ({"type": "text", "text": "a"}, Text("a")),
        ({"text": "a", "cache_control": {"type": "ephemeral"}}, Text("a", cache="5m")),
        (
            {"type": "image_url", "image_url": {"url": "https://x/y", "detail": "high"}},
            Image(Source(url="https://x/y"), detail="high"),
        ),
        (
            {"type": "image_url", "image_url": "data:image/gif;base64,aGk="},
            Image(Source(data="aGk=", media_type="image/gif")),
        ),
        ({"type": "video_url", "video_url": {"url": "https://x/y"}}, Video(Source(url="https://x/y"))),
        (
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
            Audio(Source(data="aGk=", media_type="audio/mp3"), format="mp3"),
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk=", "filename": "a.pdf"}},
            Document(Source(data="aGk=", media_type="application/pdf"), title="a.pdf"),
        ),
        ({"type": "file", "file": {"file_id": "f"}}, Document(Source(file_id="f"))),
        ({"type": "refusal", "refusal": "no"}, Refusal("no")),
        ({"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}, Thinking("a")),
        (
            {"type": "thinking", "thinking": "a", "signature": "s"},
            Thinking("a", signature="s", dialect=Dialect.ANTHROPIC),
        ),
    ],
)
def test_reading(wire: Any, part: Part) -> None:
    assert _read(wire) == part


def test_an_unknown_kind_stays_as_it_is() -> None:
    part = _read({"type": "hologram", "text": 5})
    assert part == Opaque(Dialect.OPENAI, "hologram", msgspec.Raw(b'{"type": "hologram", "text": 5}'))


@pytest.mark.parametrize(
    ("wire", "param"),
    [
        ({"type": "text"}, "at.text"),
        ({"type": 5}, "at.type"),
        ({"type": "file", "file": {}}, "at.file"),
        ({"type": "input_audio", "input_audio": {"data": 5}}, "at.input_audio.data"),
        ("x", "at"),
    ],
)
def test_what_is_wrong_is_named_from_the_top(wire: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _read(wire)
    assert caught.value.param == param


def test_an_empty_content_has_no_parts() -> None:
    assert read_content(None, "at") == read_content("", "at") == read_content([], "at") == ()


def test_marks() -> None:
    assert write_mark({}, "") == {}
    assert write_mark({}, "5m") == {"cache_control": {"type": "ephemeral"}}
    assert write_mark({}, "1h") == {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
