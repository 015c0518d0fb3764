"""Errors are written as the vendor's clients know them, and the vendor's are understood."""

import inspect
import json
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types.shared import ErrorResponse

from kernel import errors as kernel_errors
from kernel.errors import BudgetExceeded, GatewayError, InvalidRequest, Unavailable, UpstreamRefused, UpstreamTimeout
from providers.dialects.anthropic_messages.errors import encode_error, read_error, status_of, stream_error
from providers.dialects.codec import ErrorReport
from tests.providers.dialects.anthropic_messages.recorded import body, cassette

ERRORS = [
    one
    for _, one in inspect.getmembers(kernel_errors, inspect.isclass)
    if issubclass(one, GatewayError) and one is not UpstreamRefused
]
KINDS = {"conflict_error", "request_too_large"}  # documented, but no types of the library


def _read(status: int, value: Any, **headers: bytes) -> ErrorReport | None:
    return read_error(status, lambda name: headers.get(name.decode().replace("-", "_")), body(value))


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_has_an_envelope(kind: type[GatewayError]) -> None:
    error = kind("why", param="messages")
    envelope = json.loads(encode_error(error, request_id="req_1"))
    if envelope["error"]["type"] not in KINDS:
        ErrorResponse.model_validate(envelope)
    assert (envelope["type"], envelope["request_id"], envelope["error"]["message"]) == ("error", "req_1", "why")
    assert envelope["error"]["details"]["param"] == "messages"
    if kind is not BudgetExceeded:
        assert envelope["error"]["details"]["error_code"] == error.code


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InvalidRequest("x"), 400, "invalid_request_error"),
        (kernel_errors.BodyTooLarge("x"), 413, "request_too_large"),
        (kernel_errors.RouteUnknown("x"), 404, "not_found_error"),
        (kernel_errors.AuthenticationFailed("x"), 401, "authentication_error"),
        (kernel_errors.PermissionRefused("x"), 403, "permission_error"),
        (kernel_errors.RateLimited("x"), 429, "rate_limit_error"),
        (BudgetExceeded("x"), 429, "rate_limit_error"),
        (UpstreamTimeout("x"), 504, "timeout_error"),
        (kernel_errors.UpstreamBroken("x"), 502, "api_error"),
        (Unavailable("x"), 529, "overloaded_error"),
        (UpstreamRefused("x", status=500, code="upstream_overloaded", retryable=True), 529, "overloaded_error"),
        (UpstreamRefused("x", status=402, code="c", retryable=False), 402, "billing_error"),
        (kernel_errors.MethodNotAllowed("x"), 405, "invalid_request_error"),
    ],
)
def test_types_follow_the_status(error: GatewayError, status: int, kind: str) -> None:
    assert status_of(error) == status
    assert json.loads(encode_error(error, request_id="r"))["error"]["type"] == kind


def test_an_exceeded_budget_is_a_spend_limit_to_the_library() -> None:
    error = BudgetExceeded("spent")
    response = httpx2.Response(
        status_of(error), content=encode_error(error, request_id="r"), request=httpx2.Request("POST", "http://x")
    )
    client = anthropic.Anthropic(api_key="k", base_url="http://x")
    raised = client._make_status_error_from_response(response)
    assert isinstance(raised, anthropic.RateLimitError)
    assert raised.error_code == "enforced_spend_limit_reached"


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "context_length_exceeded", None),
        (401, "invalid_api_key", None),
        (404, "model_not_found", None),
        (429, "insufficient_quota", None),
        (529, "upstream_overloaded", True),
    ],
)
def test_recorded_errors_are_understood(status: int, code: str, retryable: bool | None) -> None:
    recorded = cassette(f"error_{status}.json")["response"]
    report = _read(status, recorded)
    assert report is not None
    assert (report.code, report.retryable, report.own_envelope) == (code, retryable, True)
    assert report.message == recorded["error"]["message"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"type": "rate_limit_error", "message": "slow down"}, "rate_limit_exceeded"),
        ({"type": "permission_error", "message": "no"}, "permission_denied"),
        ({"type": "billing_error", "message": "pay"}, "insufficient_quota"),
        ({"type": "invalid_request_error", "message": "Your credit balance is too low"}, "insufficient_quota"),
        ({"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}, "content_filter"),
        ({"type": "invalid_request_error", "message": "max_tokens: bad"}, "invalid_request"),
        ({"type": "invalid_request_error", "message": "input exceeds context limit"}, "context_length_exceeded"),
        ({"type": "not_found_error", "message": "no such file"}, "not_found"),
        ({"type": "api_error", "message": "x"}, "api_error"),
        ({"type": "odd_error", "message": 7}, "odd_error"),
    ],
)
def test_codes(error: dict[str, Any], code: str) -> None:
    report = _read(400, {"type": "error", "error": error})
    assert report is not None
    assert report.code == code


def test_headers_say_when_to_try_again() -> None:
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "x"}}
    report = _read(429, error, retry_after=b"7", x_should_retry=b"false")
    assert report is not None
    assert (report.retry_after_s, report.retryable) == (7.0, False)
    for odd in (b"soon", b"-1", b"nan", b"inf"):
        report = _read(429, error, retry_after=odd)
        assert report is not None
        assert report.retry_after_s is None


def test_an_envelope_without_its_type_is_understood_and_not_passed_on() -> None:
    report = _read(500, {"error": {"type": "api_error", "message": "x"}})
    assert report is not None
    assert (report.code, report.own_envelope) == ("api_error", False)


@pytest.mark.parametrize("value", [{}, [], "x", {"error": "x"}, {"error": {"code": 404, "status": "NOT_FOUND"}}])
def test_other_envelopes_are_none(value: Any) -> None:
    assert _read(500, value) is None


def test_an_error_of_a_stream() -> None:
    error = stream_error(body({"type": "error", "error": {"type": "overloaded_error", "message": "m"}}))
    assert (error.code, error.message) == ("upstream_overloaded", "m")
    assert stream_error(b"{").code == "upstream_error"
