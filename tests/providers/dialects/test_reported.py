"""Usage is found in answers of every shape, however their bytes are cut."""

import struct
from base64 import b64encode
from binascii import crc32
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Usage
from providers.dialects.reported import WHOLE_BYTES_MAX, AnswerScan, Report

JSON, EVENTS, FRAMES = b"application/json", b"text/event-stream; charset=utf-8", b"application/vnd.amazon.eventstream"


def frame(payload: Any) -> bytes:
    """Write one message without headers."""
    body = msgspec.json.encode(payload)
    prelude = struct.pack(">II", len(body) + 16, 0)
    message = prelude + struct.pack(">I", crc32(prelude)) + body
    return message + struct.pack(">I", crc32(message))


def events(*values: Any) -> bytes:
    return b"".join(b"event: e\ndata: " + msgspec.json.encode(value) + b"\n\n" for value in values)


def read(kind: bytes, *pieces: bytes) -> Report:
    scan = AnswerScan(kind)
    for piece in pieces:
        scan.feed(piece)
    scan.end()
    return scan.report


MESSAGE = {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 1}


@pytest.mark.parametrize(
    ("answer", "usage", "model"),
    [
        (
            {"model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 3}},
            Usage(input_tokens=7, output_tokens=3),
            "m",
        ),
        ({"usage": {"total_tokens": 9}}, Usage(input_tokens=9), ""),
        (
            {"object": "response", "model": "m", "usage": {"input_tokens": 7, "output_tokens": 3}},
            Usage(input_tokens=7, output_tokens=3),
            "m",
        ),
        (
            {"type": "message", "model": "c", "usage": MESSAGE},
            Usage(input_tokens=7, cached_input_tokens=2, output_tokens=1),
            "c",
        ),
        (
            {"modelVersion": "g", "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2}},
            Usage(input_tokens=4, output_tokens=2),
            "g",
        ),
        ({"usage": {"inputTokens": 4, "outputTokens": 2}}, Usage(input_tokens=4, output_tokens=2), ""),
        (
            {"meta": {"billed_units": {"input_tokens": 4.0, "output_tokens": 2}}},
            Usage(input_tokens=4, output_tokens=2),
            "",
        ),
        ({"usage": {"billed_units": {"search_units": 2}}}, Usage(searches=2), ""),
        ({"text": "hi", "usage": {"type": "duration", "seconds": 1.5}}, Usage(audio_ms=1500), ""),
        (
            [{"usageMetadata": {"promptTokenCount": 1}}, {"usageMetadata": {"promptTokenCount": 4}}],
            Usage(input_tokens=4),
            "",
        ),
        ({"id": "file-1", "usage": None}, None, ""),
        ({"usage": "much"}, None, ""),
        ({"usage": {"prompt_tokens": "many"}}, None, ""),
        ("usage", None, ""),
    ],
)
def test_whole_answers(answer: Any, usage: Usage | None, model: str) -> None:
    report = read(JSON, msgspec.json.encode(answer))
    assert (report.usage, report.model) == (usage, model)


STREAMS = [
    (
        EVENTS,
        events(
            {"model": "m", "choices": [{"delta": {"content": "hi"}}]},
            {"model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 3}},
        )
        + b"data: [DONE]\n\n",
        Usage(input_tokens=7, output_tokens=3),
    ),
    (
        EVENTS,
        events(
            {"type": "message_start", "message": {"type": "message", "model": "m", "usage": MESSAGE}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}},
        ),
        Usage(input_tokens=7, cached_input_tokens=2, output_tokens=15),
    ),
    (
        EVENTS,
        events(
            {"type": "response.completed", "response": {"model": "m", "usage": {"input_tokens": 7, "output_tokens": 3}}}
        ),
        Usage(input_tokens=7, output_tokens=3),
    ),
    (
        EVENTS,
        events({"type": "message-end", "delta": {"usage": {"billed_units": {"input_tokens": 2, "output_tokens": 3}}}}),
        Usage(input_tokens=2, output_tokens=3),
    ),
    (EVENTS, b'data: {"usage": {"total_tokens": 3}}', Usage(input_tokens=3)),
    (
        FRAMES,
        frame({"delta": {"text": "hi"}}) + frame({"usage": {"inputTokens": 4, "outputTokens": 2}, "metrics": {}}),
        Usage(input_tokens=4, output_tokens=2),
    ),
    (
        FRAMES,
        frame(
            {
                "bytes": b64encode(
                    msgspec.json.encode(
                        {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 4, "outputTokenCount": 2}}
                    )
                ).decode()
            }
        ),
        Usage(input_tokens=4, output_tokens=2),
    ),
]


@pytest.mark.parametrize(("kind", "data", "usage"), STREAMS)
@given(cuts=st.lists(st.integers(0, 400), max_size=5))
def test_streams_however_cut(kind: bytes, data: bytes, usage: Usage, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert read(kind, *pieces).usage == usage


@given(data=st.binary(max_size=200), kind=st.sampled_from([JSON, EVENTS, FRAMES, b"audio/mpeg", b""]))
def test_no_bytes_make_it_fail(data: bytes, kind: bytes) -> None:
    read(kind, data, b'"usage"\n\n', data)


def test_a_whole_answer_is_kept_up_to_a_bound() -> None:
    scan = AnswerScan(JSON)
    scan.feed(b"x" * WHOLE_BYTES_MAX)
    assert scan.whole is not None
    scan.feed(b"x")
    assert scan.whole is None
    scan.end()
    assert scan.report.usage is None


def test_counts_in_the_head_stand_where_the_body_has_none() -> None:
    head = {b"x-amzn-bedrock-input-token-count": b"12", b"x-amzn-bedrock-output-token-count": b"nonsense"}
    scan = AnswerScan(JSON)
    scan.report.note_headers(head.get)
    scan.feed(b'{"embedding": [0.5]}')
    scan.end()
    assert scan.report.usage == Usage(input_tokens=12)
