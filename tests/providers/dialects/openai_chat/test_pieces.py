"""The pieces of a choice find their part."""

from typing import Any

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    CitationAdded,
    Event,
    Image,
    Opaque,
    PartAdded,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
)
from providers.dialects.openai_chat.pieces import Delta, Growing


def _grow(*deltas: dict[str, Any]) -> list[Event]:
    growing = Growing(0, "s")
    events: list[Event] = []
    for delta in deltas:
        growing.add(msgspec.json.decode(msgspec.json.encode(delta), type=Delta), None, events)
    return events


def test_a_new_kind_is_a_new_part() -> None:
    events = _grow({"reasoning": "a"}, {"content": "b"}, {"content": "c"}, {"refusal": "d"}, {"content": "e"})
    assert events == [
        *(ThinkingDelta(0, text="a"), TextDelta("b", 1), TextDelta("c", 1), RefusalDelta("d", 2), TextDelta("e", 3)),
    ]


def test_calls_at_once_keep_apart() -> None:
    def piece(index: int, arguments: str, **more: str) -> dict[str, Any]:
        name = {"name": "f"} if more else {}
        return {"index": index, "function": {"arguments": arguments, **name}, **more}

    events = _grow(
        {"tool_calls": [piece(0, "", id="a"), piece(1, "", id="b")]}, {"tool_calls": [piece(1, "2"), piece(0, "1")]}
    )
    assert events == [ToolStarted("a", "f", 0), ToolStarted("b", "f", 1), ToolDelta("2", 1), ToolDelta("1", 0)]


def test_this_gateway_s_own_thoughts_count_once() -> None:
    detail = {"type": "reasoning.text", "text": "ab", "signature": "s", "format": "anthropic", "index": 0}
    events = _grow(
        *({"reasoning_content": "a"}, {"reasoning_content": "b"}, {"reasoning_details": [detail]}),
        {"reasoning_content": "c"},
    )
    assert events == [
        *(ThinkingDelta(0, text="a"), ThinkingDelta(0, text="b")),
        *(ThinkingDelta(0, signature="s", dialect=Dialect.ANTHROPIC), ThinkingDelta(1, text="c")),
    ]


def test_a_summary_and_what_is_kept_secret_of_one_thought_are_one() -> None:
    details = [
        {"type": "reasoning.summary", "summary": "a", "id": "r", "index": 0},
        {"type": "reasoning.encrypted", "data": "e", "id": "r", "index": 0},
    ]
    first, second = _grow({"reasoning_details": details})
    assert first == ThinkingDelta(0, text="a", id="r")
    assert second == ThinkingDelta(0, redacted="e", id="r", dialect=Dialect.OPENAI)


def test_the_signature_of_a_call() -> None:
    google = {"index": 0, "id": "a", "function": {"name": "f"}, "extra_content": {"google": {"thought_signature": "s"}}}
    other = {"index": 1, "id": "b", "function": {"name": "f"}}
    details = [{"type": "reasoning.encrypted", "data": "e", "id": "b", "format": "converse"}]
    assert _grow({"tool_calls": [google, other], "reasoning_details": details}) == [
        ToolStarted("a", "f", 0, 0, "s", Dialect.GEMINI),
        ToolStarted("b", "f", 1, 0, "e", Dialect.CONVERSE),
    ]


def test_the_rare_ones() -> None:
    annotation = {"type": "url_citation", "url_citation": {"url": "u"}}
    text, cited, image, sound, started, arguments = _grow(
        {"content": [{"type": "text", "text": "a"}], "annotations": [annotation]},
        {"images": [{"type": "image_url", "image_url": {"url": "https://x"}}], "audio": {"id": "x"}},
        {"function_call": {"name": "f", "arguments": "{}"}},
    )
    assert text == TextDelta("a", 0)
    assert isinstance(cited, CitationAdded)
    assert (cited.part, cited.citation.url) == (0, "u")
    assert isinstance(image, PartAdded)
    assert isinstance(image.value, Image)
    assert isinstance(sound, PartAdded)
    assert isinstance(sound.value, Opaque)
    assert started == ToolStarted("s_0_3", "f", 3)
    assert arguments == ToolDelta("{}", 3)
