"""Errors are told in Google's envelope, and Google's are read in the gateway's words."""

import json

import pytest

from kernel.errors import (
    AuthenticationFailed,
    BudgetExceeded,
    GatewayError,
    InternalError,
    InvalidRequest,
    PermissionRefused,
    RateLimited,
    RouteUnknown,
    Unavailable,
    UpstreamBroken,
    UpstreamRefused,
    UpstreamTimeout,
)
from providers.dialects.gemini_generate.codec import CHAT_BACK, ERRORS
from tests.providers.dialects.gemini_generate import cassettes


def _no_header(name: bytes) -> None:
    return None


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (InvalidRequest("x"), 400, "INVALID_ARGUMENT"),
        (AuthenticationFailed("x"), 401, "UNAUTHENTICATED"),
        (PermissionRefused("x"), 403, "PERMISSION_DENIED"),
        (RouteUnknown("x"), 404, "NOT_FOUND"),
        (RateLimited("x"), 429, "RESOURCE_EXHAUSTED"),
        (BudgetExceeded("x"), 429, "RESOURCE_EXHAUSTED"),
        (InternalError("x"), 500, "INTERNAL"),
        (UpstreamBroken("x"), 502, "UNAVAILABLE"),
        (Unavailable("x"), 503, "UNAVAILABLE"),
        (UpstreamTimeout("x"), 504, "DEADLINE_EXCEEDED"),
        (UpstreamRefused("x", status=418, code="c", retryable=False), 418, "INVALID_ARGUMENT"),
    ],
)
def test_an_error_has_its_status_word(error: GatewayError, code: int, status: str) -> None:
    inner = json.loads(ERRORS.encode_error(error, request_id="q"))["error"]
    assert (ERRORS.status_of(error), inner["code"], inner["status"], inner["message"]) == (code, code, status, "x")


def test_code_field_and_wait_stand_in_the_details_and_another_gateway_reads_them() -> None:
    error = RateLimited("x", code="budget_low", param="contents", retry_after_s=1.5)
    body = ERRORS.encode_error(error, request_id="q")
    info, retry = json.loads(body)["error"]["details"]
    assert (info["reason"], info["metadata"]) == ("BUDGET_LOW", {"requestId": "q", "param": "contents"})
    assert retry["retryDelay"] == "1.5s"
    report = CHAT_BACK.read_error(429, _no_header, body)
    assert report is not None
    assert (report.code, report.retry_after_s, report.own_envelope) == ("budget_low", 1.5, True)


@pytest.mark.parametrize(
    ("status", "code", "retry_after_s"),
    [
        (400, "context_length_exceeded", None),
        (429, "rate_limit_exceeded", 46.0),
        (503, "upstream_overloaded", None),
    ],
)
def test_google_s_errors_are_read(status: int, code: str, retry_after_s: float | None) -> None:
    body = cassettes.response(f"error_{status}.json")
    report = CHAT_BACK.read_error(status, _no_header, body)
    assert report is not None
    assert (report.code, report.retry_after_s) == (code, retry_after_s)
    assert report.message == json.loads(body)["error"]["message"]


@pytest.mark.parametrize(
    ("status", "word", "details", "code"),
    [
        (400, "INVALID_ARGUMENT", [{"reason": "API_KEY_INVALID"}], "invalid_api_key"),
        (400, "INVALID_ARGUMENT", None, "invalid_request"),
        (400, "FAILED_PRECONDITION", None, "failed_precondition"),
        (401, "UNAUTHENTICATED", "odd", "invalid_api_key"),
        (403, "PERMISSION_DENIED", ["odd"], "permission_denied"),
        (404, "NOT_FOUND", None, "model_not_found"),
        (429, "RESOURCE_EXHAUSTED", [{"violations": [{"quotaId": "RequestsPerDay"}]}], "insufficient_quota"),
        (503, None, None, "upstream_overloaded"),
    ],
)
def test_a_status_word_is_a_code(status: int, word: str | None, details: object, code: str) -> None:
    body = json.dumps({"error": {"code": status, "message": "x", "status": word, "details": details}}).encode()
    report = CHAT_BACK.read_error(status, lambda name: b"7", body)
    assert report is not None
    assert (report.code, report.retry_after_s) == (code, 7.0)


def test_an_envelope_in_an_array_is_read_but_not_passed_on() -> None:
    report = CHAT_BACK.read_error(400, _no_header, b"[" + cassettes.response("error_400.json") + b"]")
    assert report is not None
    assert not report.own_envelope


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":"x"}', b'{"error":{"message":3}}', b"\xff"])
def test_what_is_no_envelope_is_none(body: bytes) -> None:
    assert CHAT_BACK.read_error(500, _no_header, body) is None
