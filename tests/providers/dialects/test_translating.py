"""A stream that is translated: accounted for on the way, whole or not, whatever the cuts."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import UpstreamBroken
from providers.dialects import doors
from providers.dialects.canonical import Dialect, Head, Operation, Usage
from providers.dialects.codec import Asked
from providers.dialects.table import BACKS
from providers.dialects.translating import TranslatingReader

BACK = BACKS[(Dialect.ANTHROPIC, Operation.CHAT)]
ASKED = Asked(Head("m", stream=True, wants_stream_usage=True), b"{}", "m", "chatcmpl-1", 1_760_000_000)


def event(kind: str, **fields: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **fields}))


WHOLE = b"".join(
    [
        event("message_start", message={"id": "msg_1", "model": "c", "usage": {"input_tokens": 9, "output_tokens": 1}}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Grüß"}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": " dich"}),
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 5}),
        event("message_stop"),
    ]
)


def reader() -> TranslatingReader:
    door = doors.CHAT
    assert door.front is not None
    encoder = door.front.encoder(ASKED, lambda usage: b"0.5")
    return TranslatingReader(BACK.decoder(), encoder, accepts=BACK.stream_type)


def test_a_whole_stream_is_told_and_accounted_for() -> None:
    reading = reader()
    told = reading.feed(WHOLE)
    assert reading.end() == b""
    assert (reading.done, reading.failure, reading.finish_reason) == (True, None, "stop")
    assert reading.usage == Usage(input_tokens=9, output_tokens=5)
    assert reading.output_bytes == len("Grüß dich".encode())
    assert told.endswith(b"data: [DONE]\n\n")
    assert b'"cost":0.5' in told
    assert reading.feed(WHOLE) == b"", "nothing follows the end"


@given(cuts=st.sets(st.integers(1, len(WHOLE) - 1), max_size=12))
def test_cuts_change_nothing(cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(WHOLE)]
    reading = reader()
    pieces = [WHOLE[start:end] for start, end in pairwise(places)]
    assert b"".join(reading.feed(piece) for piece in pieces) == reader().feed(WHOLE)


def test_what_came_before_an_error_is_told() -> None:
    reading = reader()
    broken = WHOLE[: WHOLE.index(b"event: content_block_stop")]
    told = reading.feed(broken + event("error", error={"type": "overloaded_error", "message": "busy"}))
    assert b"dich" in told
    assert reading.failure is not None
    assert reading.failure.message == "busy"
    assert reading.feed(WHOLE) == b""
    with pytest.raises(UpstreamBroken):
        reading.end()
    assert b'"busy"' in reading.fail(reading.failure, request_id="req_1")


def test_a_stream_cut_short_is_no_answer() -> None:
    reading = reader()
    reading.feed(WHOLE[: WHOLE.index(b"event: message_delta")])
    with pytest.raises(UpstreamBroken) as caught:
        reading.end()
    assert caught.value.code == "upstream_cut"
