"""From a request under /passthrough/ to a call: who may, what is asked, of which model."""

from typing import Any

import pytest

from gateway.passthrough.requests import find_connection, read_passage
from kernel.errors import GatewayError, InvalidRequest
from providers.dialects.canonical import Dialect, Operation
from tests.builders import caller, connection, quiet_plane
from tests.gateway.passthrough.passages import CHAT, SCOPES, ask, passing, under_way


@pytest.mark.parametrize(
    ("slug", "fields", "status", "code"),
    [
        ("mock", {"scopes": frozenset({"inference"})}, 403, "insufficient_scope"),
        ("mock", {"scopes": frozenset({"passthrough"})}, 403, "insufficient_scope"),
        ("mock", {"allowed_routes": ("m", "passthrough/other")}, 403, "model_not_allowed"),
        ("none", {}, 404, "unknown_provider"),
    ],
)
def test_who_may_not(slug: str, fields: dict[str, Any], status: int, code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        find_connection(quiet_plane(passing("mock", "other")), caller(**{"scopes": SCOPES} | fields), slug)
    assert (caught.value.status, caught.value.code) == (status, code)


@pytest.mark.parametrize("allowed", [(), ("passthrough/mock",), ("passthrough/*",)])
def test_who_may(allowed: tuple[str, ...]) -> None:
    found = find_connection(quiet_plane(passing()), caller(scopes=SCOPES, allowed_routes=allowed), "mock")
    assert found.slug == "mock"


def test_an_unknown_provider_is_told_of_those_the_key_may_use() -> None:
    with pytest.raises(GatewayError, match=r"Available: b\."):
        find_connection(
            quiet_plane(passing("a", "b")), caller(scopes=SCOPES, allowed_routes=("passthrough/b",)), "none"
        )


def test_path_and_query_stay_as_they_came_but_for_the_gateways_key() -> None:
    incoming = ask("files/a%2Fb", query="limit=2&key=sk-gw-test&%6bey=x&order=a%20b&keys=1")
    raw = read_passage(connection(), incoming, raw_path=incoming.path.encode()).raw
    assert (raw.method, raw.path, raw.query) == ("GET", b"/files/a%2Fb", b"limit=2&order=a%20b&keys=1")


@pytest.mark.parametrize(
    ("raw_path", "query", "code"),
    [
        (b"/passthrough/mock/../x", "", "unsafe_path"),
        (b"/passthrough%2Fmock/x", "", "unsafe_path"),
        (b"/passthrough/mock/x", "a b", "invalid_query"),
        (b"/passthrough/mock/x", "a=\r\nx", "invalid_query"),
    ],
)
def test_what_goes_into_no_request_line_is_refused(raw_path: bytes, query: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_passage(connection(), ask("x", query=query), raw_path=raw_path)
    assert caught.value.code == code


def test_a_door_reads_what_it_can() -> None:
    _, call, passage = under_way(ask("v1/chat/completions", CHAT | {"stream": True, "max_tokens": 5}))
    assert (call.head.model, call.head.stream, call.head.max_output_tokens) == ("m", True, 5)
    assert (call.operation, call.route.name, passage.because) == (Operation.PASSTHROUGH, "passthrough/mock", "")
    assert call.route.groups[0][0].name == "mock/m"


@pytest.mark.parametrize(
    ("rest", "body", "model", "stream"),
    [
        ("batches", {"model": "x", "stream": True}, "x", True),
        ("chat/completions", {"model": "x"}, "x", False),
        ("deployments/d/other", b"\x00\x01", "d", False),
        ("files", b"--form", "", False),
        ("files", b"{broken", "", False),
        ("responses", {"model": "x", "input": "hi", "background": True}, "x", False),
    ],
)
def test_what_no_door_reads_is_only_glanced_at(rest: str, body: Any, model: str, stream: bool) -> None:
    _, call, passage = under_way(ask(rest, body))
    assert passage.because
    assert passage.told.door is None
    assert (call.head.model, call.head.stream, call.head.input_tokens_most) == (model, stream, 0)


def test_errors_and_limits_are_said_in_the_dialect_of_the_path() -> None:
    assert under_way(ask("v1/messages", {}))[1].said.door.dialect is Dialect.ANTHROPIC
    assert under_way(ask("files"))[1].said.door.dialect is Dialect.OPENAI
