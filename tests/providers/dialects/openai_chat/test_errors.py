"""Error envelopes, written with all their keys and read in every form providers use."""

import json

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.openai_chat import errors


def test_all_keys_are_there_even_when_null() -> None:
    body = json.loads(errors.encode_error(InvalidRequest("no", code="c"), request_id="r1"))
    assert body == {
        "error": {"message": "no", "type": "invalid_request_error", "param": None, "code": "c", "request_id": "r1"}
    }


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"error": {"message": "m", "type": "t", "param": null, "code": "c"}}', ("m", "c")),
        (b'{"error": {"message": "m", "type": "t", "code": null}}', ("m", "t")),
        (b'{"error": {"message": "m", "code": 429}}', ("m", "429")),
        (b'{"error": "text"}', ("text", "")),
        (b'{"message": "m"}', ("m", "")),
        (b'{"detail": "d"}', ("d", "")),
        (b'{"error": {}}', ("the provider gave no reason", "")),
        (b'{"object": "error", "message": "m", "type": "t", "code": 3000}', ("m", "3000")),
        (b'{"detail": [{"loc": ["body", "user"], "msg": "Extra inputs"}]}', ("body.user: Extra inputs", "")),
        (b"<html>", None),
        (b"", None),
        (b"{}", None),
        (b'{"detail": [1]}', None),
    ],
)
def test_reading(body: bytes, found: tuple[str, str] | None) -> None:
    assert errors.read_error(body) == found


@pytest.mark.parametrize(
    ("body", "passes"),
    [(b'{"error": {"message": "m"}}', True), (b'{"error": "m"}', False), (b"{}", False), (b"x", False)],
)
def test_only_an_envelope_passes_as_it_is(body: bytes, passes: bool) -> None:
    assert errors.is_envelope(body) is passes


def test_an_error_inside_of_an_answer_keeps_its_words() -> None:
    error = errors.reported(b'{"error": {"message": "m", "code": "c"}}')
    assert (error.message, error.code) == ("m", "c")
    assert errors.reported(b'{"error": 5}').code == "upstream_error"
