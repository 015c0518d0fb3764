"""A provider's codes become the gateway's, and the gateway's errors are ones that OpenAI's clients understand."""

import json

import pytest

from kernel.errors import InvalidRequest, RateLimited, UpstreamBroken
from providers.dialects.openai_responses.errors import code_of, error_event, read_error, response_error


@pytest.mark.parametrize(
    ("status", "code", "known"),
    [
        (400, "context_length_exceeded", "context_length_exceeded"),
        (400, "string_above_max_length", "context_length_exceeded"),
        (400, "content_policy_violation", "content_filter"),
        (400, "", "invalid_request"),
        (400, "unsupported_parameter", "unsupported_parameter"),
        (401, "whatever", "invalid_api_key"),
        (403, "", "permission_denied"),
        (429, "", "rate_limit_exceeded"),
        (429, "insufficient_quota", "insufficient_quota"),
        (503, "", "upstream_overloaded"),
        (500, "", ""),
        (0, "", ""),
    ],
)
def test_codes(status: int, code: str, known: str) -> None:
    assert code_of(code, status) == known


def test_what_is_no_error_answer() -> None:
    assert read_error(500, lambda name: None, b"<html>") is None


def test_an_answer_that_only_has_a_type() -> None:
    body = b'{"error":{"message":"slow","type":"rate_limit_error"}}'
    report = read_error(429, lambda name: None, body)
    assert report is not None
    assert (report.message, report.code, report.retryable) == ("slow", "rate_limit_exceeded", None)


def test_a_context_that_is_too_long_is_not_tried_again() -> None:
    body = b'{"error":{"message":"long","code":"context_length_exceeded"}}'
    report = read_error(400, lambda name: None, body)
    assert report is not None
    assert report.retryable is False


def test_the_error_event_is_flat_and_nested() -> None:
    error = InvalidRequest("no", code="invalid_value", param="input")
    event = json.loads(error_event(error, request_id="req_1", sequence_number=4))
    assert event["sequence_number"] == 4
    for said in (event, event["error"]):
        assert (said["message"], said["code"], said["param"]) == ("no", "invalid_value", "input")


def test_a_response_has_few_codes() -> None:
    assert response_error(UpstreamBroken("cut", code="upstream_cut"))["code"] == "server_error"
    assert response_error(RateLimited("slow"))["code"] == "rate_limit_exceeded"
