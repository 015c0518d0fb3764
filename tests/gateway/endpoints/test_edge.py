"""Every answer has a request id, every error an envelope, and nothing inside leaks out."""

import logging
import string
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.endpoints import edge
from gateway.messages import JSON, Incoming, Reply
from gateway.plane import DataPlane
from kernel.errors import GatewayError, InvalidRequest, RouteUnknown, UpstreamRefused
from tests.builders import incoming

MakePlane = Callable[..., DataPlane]


def test_a_sane_request_id_is_kept() -> None:
    assert edge.request_id_of(incoming(x_request_id="my-id:1")) == "my-id:1"


@pytest.mark.parametrize("given_id", ["", " ", "a b", "x" * 129, "a\r\nset-cookie: b", "-a", "ä"])
def test_any_other_is_replaced(given_id: str) -> None:
    made = edge.request_id_of(incoming(x_request_id=given_id))
    assert made.startswith("req_")
    assert made != edge.request_id_of(incoming(x_request_id=given_id))


@given(st.binary(max_size=200))
def test_a_request_id_never_breaks_a_header(raw: bytes) -> None:
    found = edge.request_id_of(Incoming("GET", "/", {b"x-request-id": raw}))
    assert set(found) <= set(string.ascii_letters + string.digits + "._:+/=-_")
    assert 1 <= len(found) <= 128


async def answer(make_plane: MakePlane, error: Exception | None) -> Reply:
    async def view(plane: DataPlane, incoming: Incoming, request_id: str, name: str) -> Reply:
        """Say hello."""
        if error is not None:
            raise error
        return Reply(200, [JSON], body=f"{name} {request_id}".encode())

    door = edge.endpoint(view)
    assert (door.__name__, door.__doc__) == ("view", "Say hello.")
    return await door(make_plane(), incoming(x_request_id="mine"), "hello")


async def test_an_answer_carries_the_request_id(make_plane: MakePlane) -> None:
    reply = await answer(make_plane, None)
    assert reply.body == b"hello mine"
    assert (b"x-request-id", b"mine") in reply.headers


async def test_an_error_is_an_envelope_with_all_its_fields(make_plane: MakePlane) -> None:
    error = InvalidRequest("bad", param="n", code="invalid_value", retry_after_s=0.2)
    error.headers = [(b"x-gateway-attempts", b"0")]
    reply = await answer(make_plane, error)
    assert msgspec.json.decode(reply.body) == {
        "error": {
            "message": "bad",
            "type": "invalid_request_error",
            "param": "n",
            "code": "invalid_value",
            "request_id": "mine",
        }
    }
    assert reply.status == 400
    assert dict(reply.headers) == {
        b"content-type": b"application/json",
        b"x-gateway-attempts": b"0",
        b"retry-after": b"1",  # whole seconds, never none
        b"x-request-id": b"mine",
    }


async def test_an_unexpected_error_says_nothing_and_is_logged(
    make_plane: MakePlane, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        reply = await answer(make_plane, ZeroDivisionError("the secret"))
    assert reply.status == 500
    assert b"the secret" not in reply.body
    assert msgspec.json.decode(reply.body)["error"]["request_id"] == "mine"
    [entry] = caplog.records
    assert getattr(entry, "request_id", None) == "mine"
    assert "the secret" in caplog.text


@pytest.mark.parametrize(("body", "shown"), [(b'{"error":{"message":"m"},"x":1}', True), (None, False)])
def test_a_providers_own_envelope_passes_as_it_came(body: bytes | None, shown: bool) -> None:
    error = UpstreamRefused("said", status=422, code="c", retryable=False, body=body)
    reply = edge.error_reply(error, request_id="r")
    assert reply.status == 422
    assert (reply.body == body) is shown
    assert msgspec.json.decode(reply.body)["error"]["message"] == ("m" if shown else "said")


@pytest.mark.parametrize(("seconds", "header"), [(None, None), (0.0, b"1"), (1.4, b"1"), (30.0, b"30")])
def test_retry_after_is_whole_seconds(seconds: float | None, header: bytes | None) -> None:
    reply = edge.error_reply(GatewayError("x", retry_after_s=seconds), request_id="r")
    assert dict(reply.headers).get(b"retry-after") == header


def test_every_error_can_be_told() -> None:
    def tree(kind: type[GatewayError]) -> list[type[GatewayError]]:
        return [kind, *(sub for child in kind.__subclasses__() for sub in tree(child))]

    for kind in tree(GatewayError):
        fields: dict[str, Any] = (
            {"status": 500, "code": "c", "retryable": True} if issubclass(kind, UpstreamRefused) else {}
        )
        reply = edge.error_reply(kind("m", **fields), request_id="r")
        detail = msgspec.json.decode(reply.body)["error"]
        assert 400 <= reply.status < 600
        assert detail.keys() == {"message", "type", "param", "code", "request_id"}
    assert RouteUnknown in tree(GatewayError)


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "ä"])
def test_a_compressed_body_is_refused(encoding: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        edge.require_plain_body(Incoming("POST", "/", {b"content-encoding": encoding.encode("latin-1")}))
    assert caught.value.code == "unsupported_content_encoding"


@pytest.mark.parametrize("encoding", [b"", b"identity", b" Identity "])
def test_a_plain_one_is_not(encoding: bytes) -> None:
    edge.require_plain_body(Incoming("POST", "/", {b"content-encoding": encoding}))
    edge.require_plain_body(Incoming("POST", "/", {}))


@pytest.mark.parametrize(("body", "fits"), [(b'{"a":"\xc3\xa4"}', True), (b'{"a":"\xe4"}', False), (b"", True)])
def test_a_body_is_utf_8_even_where_nobody_looks(body: bytes, fits: bool) -> None:
    if fits:
        edge.require_plain_body(Incoming("POST", "/", {}, body))
        return
    with pytest.raises(InvalidRequest) as caught:
        edge.require_plain_body(Incoming("POST", "/", {}, body))
    assert caught.value.code == "invalid_json"
