"""What servers refuse is told in the gateway's words."""

import pytest

from providers.dialects.codec import ErrorReport
from providers.dialects.openai_chat.refusals import read_report
from tests.providers.dialects.openai_chat import cassettes


def _report(status: int, body: bytes, **headers: bytes) -> ErrorReport:
    report = read_report(status, lambda name: headers.get(name.decode().replace("-", "_")), body)
    assert report is not None
    return report


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "context_length_exceeded", False),
        (401, "invalid_api_key", None),
        (404, "model_not_found", None),
        (429, "insufficient_quota", None),
        (500, "server_error", None),
    ],
)
def test_recorded_errors(status: int, code: str, retryable: bool | None) -> None:
    report = _report(status, cassettes.read_response(f"error_{status}.json"))
    assert (report.code, report.retryable, report.own_envelope) == (code, retryable, True)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (429, b'{"error":{"message":"slow down","type":"requests","code":null}}', "rate_limit_exceeded"),
        (402, b'{"error":{"message":"no credit","code":402}}', "insufficient_quota"),
        (403, b'{"error":{"message":"no"}}', "permission_denied"),
        (503, b'{"message":"busy"}', "upstream_overloaded"),
        (400, b'{"error":{"message":"the prompt is too long for me"}}', "context_length_exceeded"),
        (400, b'{"message":"Invalid model: x","type":"invalid_model","code":"1500"}', "model_not_found"),
        (400, b'{"error":{"message":"bad","type":"invalid_request_error","code":null}}', "invalid_request"),
        (422, b'{"detail":[{"loc":["body","x"],"msg":"Extra"}]}', "invalid_request"),
        (400, b'{"error":{"message":"bad","code":"unsupported_parameter"}}', "unsupported_parameter"),
        (400, b'{"error":{"message":"filtered","code":"content_filter"}}', "content_filter"),
        (502, b'{"error":"broken"}', "upstream_error"),
    ],
)
def test_codes(status: int, body: bytes, code: str) -> None:
    assert _report(status, body).code == code


def test_how_long_to_wait() -> None:
    body = b'{"error":{"message":"m"}}'
    assert _report(429, body, retry_after=b"3").retry_after_s == 3
    assert _report(429, body, retry_after=b"3", retry_after_ms=b"250").retry_after_s == 0.25
    assert _report(429, body, retry_after=b"Wed, 21 Oct 2026 07:28:00 GMT").retry_after_s is None
    assert _report(429, body, retry_after=b"nan").retry_after_s is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'{"detail":[1]}'])
def test_what_is_no_error_of_the_dialect(body: bytes) -> None:
    assert read_report(500, lambda name: None, body) is None
