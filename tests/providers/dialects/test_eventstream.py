"""Frames are cut alike whatever the chunks; botocore's reader says what is in them."""

import struct
from binascii import crc32
from itertools import pairwise

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects import eventstream
from providers.dialects.eventstream import Frame, FrameSplitter
from tests.providers.dialects.bedrock_converse.frames import event, frame
from tests.providers.dialects.streams import every_split

VALUES = st.one_of(
    st.tuples(st.sampled_from([0, 1]), st.none()),
    st.tuples(st.just(2), st.integers(-(2**7), 2**7 - 1)),
    st.tuples(st.just(3), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just(4), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.sampled_from([5, 8]), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(6), st.binary(max_size=300)),
    st.tuples(st.just(7), st.text(max_size=300)),
    st.tuples(st.just(9), st.binary(min_size=16, max_size=16)),
)
FRAMES = st.tuples(st.dictionaries(st.text(min_size=1, max_size=20), VALUES, max_size=4), st.binary(max_size=200))


def read_by_botocore(data: bytes) -> list[Frame]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [Frame(dict(message.headers), message.payload) for message in buffer]


def read(pieces: list[bytes]) -> tuple[list[Frame], bool]:
    splitter = FrameSplitter()
    frames = [found for piece in pieces for found in splitter.feed(piece)]
    return frames, splitter.broken is not None


def wrap(headers: bytes, payload: bytes = b"") -> bytes:
    """Return a frame with right sums around any headers."""
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return head + struct.pack(">I", crc32(head))


@given(st.lists(FRAMES, max_size=4), st.lists(st.integers(0, 2_000), max_size=5))
def test_every_header_and_payload_comes_out_as_botocore_reads_it(
    frames: list[tuple[dict, bytes]], cuts: list[int]
) -> None:  # type: ignore[type-arg]
    data = b"".join(frame(headers, payload) for headers, payload in frames)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found, broken = read([data[start:end] for start, end in pairwise(edges)])
    assert not broken
    assert [Frame(dict(one.headers), one.payload) for one in found] == read_by_botocore(data)


def test_any_cut_gives_the_same_frames() -> None:
    data = event("messageStart", {"role": "assistant"}) + frame({}, b"") + event("messageStop", {"stopReason": "x"})
    whole, _ = read([data])
    assert [one.payload for one in whole] == [b'{"role":"assistant"}', b"", b'{"stopReason":"x"}']
    assert whole[0].headers[":event-type"] == "messageStart"
    for pieces in every_split(data):
        assert read(pieces) == (whole, False)


def test_what_is_unfinished_is_held_back() -> None:
    data = event("messageStart", {})
    splitter = FrameSplitter()
    assert len(splitter.feed(data + data[:20])) == 1
    assert splitter.rest == data[:20]
    assert splitter.feed(b"") == []
    assert len(splitter.feed(data[20:])) == 1
    assert splitter.rest == b""


@pytest.mark.parametrize("at", range(60))
def test_a_flipped_bit_is_found(at: int) -> None:
    good = frame({":event-type": "a"}, b"payload")
    if at >= len(good):
        return
    spoilt = bytearray(good)
    spoilt[at] ^= 1
    found, broken = read([good + bytes(spoilt) + good])
    assert (len(found), broken) == (1, True)


def test_nothing_follows_what_is_broken() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"<html>this is no event stream</html>") == []
    assert splitter.broken is not None
    assert splitter.feed(event("messageStart", {})) == []


@pytest.mark.parametrize(
    "headers",
    [
        b"\x05name",  # no type
        b"\x01a\x0a",  # no such type
        b"\x01a\x07\x00\x05abc",  # longer than the block
        b"\x01a\x04\x00\x00",  # half a number
        b"\x01a\x09short",
        b"\x01a\x07\x00\x01\xff",  # no UTF-8
        b"\x01\xff\x00",
        b"\xff" * 300,
    ],
)
def test_headers_that_are_none(headers: bytes) -> None:
    assert read([wrap(headers)]) == ([], True)


@pytest.mark.parametrize(
    "lengths", [(eventstream.MAX_FRAME_BYTES + 1, 0), (200_000, 140_000), (16, 1), (0, 0), (12, 0)]
)
def test_lengths_that_cannot_be(lengths: tuple[int, int]) -> None:
    prelude = struct.pack(">II", *lengths)
    assert read([prelude + struct.pack(">I", crc32(prelude))]) == ([], True)


def test_many_headers_are_read_too() -> None:
    headers = {f"name{number}": "v" * 20 for number in range(30)}
    [found], broken = read([frame(headers, b"x")])
    assert (dict(found.headers), broken) == (headers, False)
