"""Errors of the servers, and what they don't do."""

from pathlib import Path

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Dialect
from providers.dialects.codec import ErrorReport, Upstream
from providers.dialects.embedding import EmbeddingRequest
from providers.dialects.features.codec import EMBEDDING_BACK

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "huggingface"


def read(status: int, body: bytes) -> ErrorReport | None:
    return EMBEDDING_BACK.read_error(status, lambda name: None, body)


@pytest.mark.parametrize(
    ("status", "body", "message", "code"),
    [
        (401, b'{"error":"no"}', "no", "invalid_api_key"),
        (400, b'{"error":["a","b"]}', "a; b", "invalid_request"),
        (429, b'{"error":"slow"}', "slow", "rate_limit_exceeded"),
        (
            413,
            b'{"error":"Input validation error: inputs must have less than 512 tokens. Given: 900; must be less than"}',
            "Input validation error: inputs must have less than 512 tokens. Given: 900; must be less than",
            "context_length_exceeded",
        ),
    ],
)
def test_errors(status: int, body: bytes, message: str, code: str) -> None:
    report = read(status, body)
    assert report is not None
    assert (report.message, report.code, report.own_envelope) == (message, code, False)


def test_a_model_that_is_being_loaded_says_how_long() -> None:
    recorded = msgspec.json.decode((CASSETTES / "error_503.json").read_bytes())["response"]
    report = read(503, msgspec.json.encode(recorded))
    assert report is not None
    assert (report.code, report.retry_after_s) == ("upstream_overloaded", 20.5)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"error":5}'])
def test_what_is_none_of_its_errors(body: bytes) -> None:
    assert read(500, body) is None


def test_requests_are_written_and_nothing_is_streamed() -> None:
    request = EmbeddingRequest("m", ("a",), Dialect.OPENAI)
    upstream = Upstream(model="up", capabilities=Capabilities())
    assert EMBEDDING_BACK.encode_request(request, upstream).body == b'{"inputs":["a"]}'
    with pytest.raises(InvalidRequest):
        EMBEDDING_BACK.decoder()
