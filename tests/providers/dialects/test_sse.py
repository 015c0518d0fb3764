"""Events come out the same, however the bytes were cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects import sse

EVENTS = [b"data: {}\n\n", b": comment\n\n", b"event: x\ndata: 1\ndata: 2\n\n", b"data: [DONE]\n\n"]


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


@given(
    st.lists(st.sampled_from(EVENTS), min_size=1), st.lists(st.integers(0, 10_000)), st.sampled_from([b"\n", b"\r\n"])
)
def test_any_cut_gives_the_same_events(events: list[bytes], cuts: list[int], line_end: bytes) -> None:
    events = [event.replace(b"\n", line_end) for event in events]
    splitter = sse.EventSplitter()
    found = [event for piece in _cut(b"".join(events), cuts) for event in splitter.feed(piece)]
    if line_end == b"\n":
        assert found == events
    assert b"".join(found) + splitter.rest == b"".join(events)
    assert [sse.data_of(event) for event in found if sse.data_of(event)] == [
        sse.data_of(event) for event in events if sse.data_of(event)
    ]


@given(st.binary(), st.lists(st.integers(0, 1000)))
def test_no_byte_is_lost_whatever_comes(data: bytes, cuts: list[int]) -> None:
    splitter = sse.EventSplitter()
    found = b"".join(event for piece in _cut(data, cuts) for event in splitter.feed(piece))
    assert found + splitter.rest == data


def test_an_unfinished_event_is_held_back() -> None:
    splitter = sse.EventSplitter()
    assert splitter.feed(b"data: 1") == []
    assert splitter.feed(b"\n") == []
    assert splitter.feed(b"\ndata: 2") == [b"data: 1\n\n"]
    assert splitter.rest == b"data: 2"


def test_an_endless_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    splitter = sse.EventSplitter()
    with pytest.raises(sse.EventTooLarge):
        splitter.feed(b"data: " + b"x" * 200)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\n\n", b"x"),
        (b"event: e\ndata: a\ndata: b\n\n", b"a\nb"),
        (b": ping\n\n", None),
        (b"event: only\n\n", None),
        (b"data: x\r\n\r\n", b"x"),
        (b"data:  two spaces\n\n", b" two spaces"),
    ],
)
def test_data_of_an_event(event: bytes, data: bytes | None) -> None:
    assert sse.data_of(event) == data
