"""Errors of the dialect, read and written."""

from pathlib import Path

import msgspec
import pytest

from kernel.errors import InvalidRequest, RateLimited
from providers.dialects.cohere_rank.codec import ERRORS
from providers.dialects.cohere_rank.errors import read_error

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes"


def read(status: int, body: bytes) -> tuple[str, str, bool] | None:
    report = read_error(status, lambda name: None, body)
    return None if report is None else (report.message, report.code, report.own_envelope)


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "invalid request", "invalid_request"),
        (400, "the query is too long", "context_length_exceeded"),
        (401, "invalid api token", "invalid_api_key"),
        (404, "model not found", "model_not_found"),
        (429, "too many requests", "rate_limit_exceeded"),
        (429, "You are using a trial key, which is limited", "insufficient_quota"),
        (498, "blocked", "content_filter"),
        (500, "internal", "upstream_overloaded"),
    ],
)
def test_codes(status: int, message: str, code: str) -> None:
    assert read(status, msgspec.json.encode({"message": message})) == (message, code, True)


def test_recorded_and_foreign_envelopes() -> None:
    recorded = msgspec.json.decode((CASSETTES / "cohere" / "error_400.json").read_bytes())["response"]
    assert read(400, msgspec.json.encode(recorded)) == (recorded["message"], "invalid_request", True)
    assert read(422, b'{"detail":"no"}') == ("no", "invalid_request", False)
    for body in (b"", b"<html>", b"[]", b'{"message":5}'):
        assert read(500, body) is None


def test_what_clients_are_told() -> None:
    error = InvalidRequest("no", code="invalid_type", param="query")
    told = msgspec.json.decode(ERRORS.encode_error(error, request_id="r"))
    assert told == {"id": "r", "message": "no", "code": "invalid_type", "param": "query"}
    assert (ERRORS.status_of(error), ERRORS.status_of(RateLimited("x"))) == (400, 429)
