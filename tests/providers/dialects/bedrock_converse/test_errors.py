"""An error's type in any of its places, and what it means."""

import msgspec
import pytest

from providers.dialects.bedrock_converse.errors import describe, read_error
from providers.dialects.codec import ErrorReport
from tests.providers.dialects.bedrock_converse.frames import CASSETTES, cassette


def report(body: bytes, kind: bytes | None = None, status: int = 400) -> ErrorReport | None:
    return read_error(status, {b"x-amzn-errortype": kind}.get, body)


@pytest.mark.parametrize("name", sorted(path.name for path in CASSETTES.glob("error_*.json")))
def test_recorded_errors(name: str) -> None:
    recorded = cassette(name)
    kind = recorded["headers"]["x-amzn-errortype"].encode()
    found = report(msgspec.json.encode(recorded["response"]), kind, recorded["status"])
    assert found is not None
    said = {"code": found.code, "retryable": found.retryable, "own_envelope": found.own_envelope}
    assert said == recorded["expect"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"message":"slow down"}', b"ThrottlingException"),
        (b'{"message":"slow down"}', b"ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"),
        (b'{"__type":"com.amazon.coral#ThrottlingException","message":"slow down"}', None),
        (b'{"code":"throttlingException","Message":"slow down"}', None),
        (b'{"type":"error","error":{"type":"ThrottlingException","message":"slow down"}}', None),
    ],
)
def test_the_type_in_all_its_places(body: bytes, kind: bytes | None) -> None:
    assert report(body, kind) == ErrorReport("slow down", "rate_limit_exceeded", retryable=True)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Input is too long for requested model.", "context_length_exceeded"),
        (
            "The model returned the following errors: prompt is too long: 9 tokens > 8 maximum",
            "context_length_exceeded",
        ),
        ("Too many input tokens. Max input tokens: 8192, request input token count: 9001", "context_length_exceeded"),
        ("This model's maximum context length is 8192 tokens.", "context_length_exceeded"),
        ("input length and `max_tokens` exceed context limit: 1 + 2 > 2", "context_length_exceeded"),
        ("Input Tokens Exceeded: Number of input tokens exceeds maximum length.", "context_length_exceeded"),
        ("#/inputText: expected maxLength: 50000, actual: 60000, please reformat", "context_length_exceeded"),
        ("The maximum tokens you requested exceeds the model limit of 4096.", "invalid_request"),
        ("This request has been blocked by our content filters.", "content_filter"),
        ("The provided model identifier is invalid.", "model_not_found"),
        ("A conversation must start with a user message.", "invalid_request"),
    ],
)
def test_what_only_the_message_says(message: str, code: str) -> None:
    assert describe("ValidationException", message).code == code


def test_too_many_tokens_a_day_is_no_question_of_context() -> None:
    assert describe("ThrottlingException", "Too many tokens, please wait.").code == "rate_limit_exceeded"


def test_an_unknown_type_keeps_its_name() -> None:
    assert describe("NewKindOfException", "m") == ErrorReport("m", "NewKindOf")
    assert describe("NewKindOfException", "").message == "the provider reported NewKindOfException"


def test_a_type_without_a_body() -> None:
    found = report(b"", b"ServiceUnavailableException", 503)
    assert found is not None
    assert found.code == "upstream_overloaded"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"", b'{"message":7}', b"\xff"])
def test_what_is_no_error_of_bedrocks(body: bytes) -> None:
    assert report(body) is None
