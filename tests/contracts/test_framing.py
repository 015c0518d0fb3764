"""The two framings of streams over any bytes in any pieces: one documented exception, bounded memory, no invention."""

from binascii import crc32
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.dialects import eventstream, sse
from providers.dialects.eventstream import FrameSplitter
from tests.contracts import dialects

FRAMED = [dialects.stream_of(one) for one in dialects.streams() if dialects.back_of(one).stream_type == dialects.FRAMES]
SMALL = 64  # what an event may have where the bound is tried
LINES = st.lists(
    st.sampled_from([b"data: ", b"event: x", b"{}", b": c", b"\n", b"\r", b"\r\n", b"\n\n", b"\x00", b"\xff", b"data"]),
    max_size=40,
).map(b"".join)
CUTS = st.lists(st.integers(0, 10_000), max_size=8)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return the data cut at these places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


@given(LINES | st.binary(max_size=300), CUTS)
def test_events_of_any_bytes_in_any_pieces(data: bytes, cuts: list[int]) -> None:
    splitter = sse.EventSplitter()
    found = [event for piece in pieces_of(data, cuts) for event in splitter.feed(piece)]
    assert b"".join(found) + splitter.rest == data
    for event in found:
        sse.data_of(event)
    whole = sse.EventSplitter()
    assert [event.strip(b"\r\n") for event in whole.feed(data)] == [event.strip(b"\r\n") for event in found]


@given(data=LINES | st.binary(max_size=300), cuts=CUTS)
def test_an_event_without_an_end_is_not_kept_for_ever(data: bytes, cuts: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sse, "MAX_EVENT_BYTES", SMALL)
        splitter = sse.EventSplitter()
        try:
            for piece in pieces_of(data, cuts):
                splitter.feed(piece)
                assert len(splitter.rest) <= SMALL
        except sse.EventTooLarge:
            assert len(splitter.rest) <= SMALL


@given(st.binary(max_size=300), CUTS)
def test_frames_of_any_bytes_are_none(data: bytes, cuts: list[int]) -> None:
    splitter = FrameSplitter()
    found = [frame for piece in pieces_of(data, cuts) for frame in splitter.feed(piece)]
    assert found == []
    assert splitter.broken is not None or len(splitter.rest) == len(data)
    if splitter.broken is not None:
        kept = splitter.rest
        assert splitter.feed(data) == []
        assert splitter.rest == kept


@pytest.mark.parametrize("data", FRAMED)
@settings(max_examples=60)
@given(drawn=st.data())
def test_a_spoilt_frame_is_never_taken_for_another(data: bytes, drawn: st.DataObject) -> None:
    good = FrameSplitter().feed(data)
    at = drawn.draw(st.integers(0, len(data) - 1))
    spoilt = data[:at] + drawn.draw(st.binary(max_size=4)) + data[at + drawn.draw(st.integers(0, 4)) :]
    splitter = FrameSplitter()
    found = [frame for piece in pieces_of(spoilt, drawn.draw(CUTS)) for frame in splitter.feed(piece)]
    assert found == good[: len(found)]
    whole = len(found) == len(good) and not splitter.rest and splitter.broken is None
    assert whole is (spoilt == data)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_what_is_waited_for_is_bounded(total_bytes: int, headers_bytes: int) -> None:
    head = total_bytes.to_bytes(4, "big") + headers_bytes.to_bytes(4, "big")
    splitter = FrameSplitter()
    splitter.feed(head + crc32(head).to_bytes(4, "big"))
    fits = total_bytes <= eventstream.MAX_FRAME_BYTES and headers_bytes + 16 <= total_bytes
    assert (splitter.broken is None) is (fits and headers_bytes <= eventstream.MAX_HEADERS_BYTES)
