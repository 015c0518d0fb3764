"""The chat over real sockets to a real gateway."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.services.gateway import Gateway
from tests.services.waiting import eventually

pytestmark = pytest.mark.e2e
ENDLESS = "[[mock tokens=2000 pace_ms=20]]"
ENDS = ("done", "cancelled", "error")


class Talk:
    """A client of the protocol."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def say(self, type_: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"type": type_, **fields}))

    def hear(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.socket.recv(timeout=15))
        return frame

    def ask(self, content: str, **fields: Any) -> list[dict[str, Any]]:
        self.say("chat", **{"model": "mock-small", "content": content} | fields)
        heard = [self.hear()]
        while heard[-1]["type"] not in ENDS:
            heard.append(self.hear())
        return heard

    def close_code(self) -> int | None:
        with suppress(ConnectionClosed):
            while True:
                self.socket.recv(timeout=15)
        return self.socket.close_code


@contextmanager
def talking(gateway: Gateway, *, key: str | None = "main") -> Iterator[Talk]:
    headers = gateway.bearer(key) if key else {}
    url = gateway.base_url.replace("http", "ws", 1) + "/v1/gateway/ws"
    with connect(url, additional_headers=headers) as socket:
        talk = Talk(socket)
        if key:
            assert talk.hear()["type"] == "ready"
        yield talk


def test_conversation_and_its_bill(either: Gateway) -> None:
    with talking(either) as talk:
        *_, first = talk.ask("Hello [[mock tokens=4]]")
        started, *deltas, second = talk.ask("And again [[mock tokens=40]]")
    assert started["target"] == "mock/mock-small"
    costs = [float(delta["cost_usd"]) for delta in deltas]
    assert len(costs) == 40
    assert costs == sorted(costs)
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"] + 4
    bills = [either.usage(done["request_id"]) for done in (first, second)]
    assert [bill["cost_usd"] for bill in bills] == [first["cost_usd"], second["cost_usd"]]
    rows = [either.records(done["request_id"])[0] for done in (first, second)]
    assert [row["cost_nanos"] for row in rows] == [bill["cost_nanos"] for bill in bills]
    assert round(float(second["conversation_cost_usd"]) * 1e9) == sum(bill["cost_nanos"] for bill in bills)


def test_key_in_the_first_frame(gateway: Gateway) -> None:
    with talking(gateway, key=None) as talk:
        talk.say("authenticate", key=gateway.keys["main"])
        assert "mock-small" in talk.hear()["models"]
        assert talk.ask("Hello")[-1]["type"] == "done"


@pytest.mark.parametrize(("key", "code"), [("expired", 4401), ("reader", 4403)])
def test_refused_keys(gateway: Gateway, key: str, code: int) -> None:
    with talking(gateway, key=None) as talk:
        talk.say("authenticate", key=gateway.keys[key])
        assert talk.hear()["type"] == "error"
        assert talk.close_code() == code


def test_cancel_stops_the_upstream_and_is_settled(gateway: Gateway) -> None:
    with talking(gateway) as talk:
        talk.say("chat", model="remote", content=ENDLESS)
        started = talk.hear()
        assert talk.hear()["type"] == "delta"
        talk.say("cancel")
        frame = talk.hear()
        while frame["type"] == "delta":
            frame = talk.hear()
        assert frame["type"] == "cancelled"
        (attempt,) = gateway.usage(started["request_id"])["attempts"]
        assert attempt["ending"] == "cancelled"
        assert attempt["cost_usd"] == frame["cost_usd"]
        assert talk.ask("Go on")[-1]["type"] == "done"


def test_hanging_up_is_settled_as_cancelled(gateway: Gateway) -> None:
    with talking(gateway) as talk:
        talk.say("chat", model="mock-small", content=ENDLESS)
        request_id = talk.hear()["request_id"]
        assert talk.hear()["type"] == "delta"
    (row,) = gateway.records(request_id)
    assert (row["ending"], row["error_code"]) == ("cancelled", "client_disconnected")


def test_key_revoked_between_turns(gateway: Gateway) -> None:
    gateway.shell(
        "from tenants.models import Key, Tenant; from tenants.keys import issue; "
        "issue(tenant=Tenant.objects.get(slug='acme'), name='between turns', secret='sk-gw-test-turns-0123456789')"
    )
    with talking(gateway, key=None) as talk:
        talk.say("authenticate", key="sk-gw-test-turns-0123456789")
        assert talk.hear()["type"] == "ready"
        assert talk.ask("Hello")[-1]["type"] == "done"
        gateway.shell(
            "from tenants.models import Key; from tenants.keys import revoke; "
            "revoke(Key.objects.get(name='between turns'))"
        )
        refused = eventually(lambda: last if (last := talk.ask("Hello")[-1])["type"] == "error" else None)
        assert refused["error"]["code"] == "revoked_api_key"
        assert talk.close_code() == 4401


def test_unknown_model(gateway: Gateway) -> None:
    with talking(gateway) as talk:
        (failed,) = talk.ask("Hello", model="nope")
        assert failed["error"]["code"] == "model_not_found"
        assert talk.ask("Hello")[-1]["type"] == "done"


def test_garbage_ends_in_a_close_and_leaves_no_trace_in_the_log(gateway: Gateway) -> None:
    with talking(gateway) as talk:
        for garbage in [b"\x00\xff", "", "{", "[]", "null", '{"type":[]}', "\u0000", b"", "x" * 100_000, "{}"]:
            talk.socket.send(garbage)
            assert talk.hear()["error"]["request_id"].startswith("req_")
        assert talk.close_code() == 1008
    assert not [line for line in gateway.lines if line["level"] == "ERROR"]


def test_other_paths_are_refused(gateway: Gateway) -> None:
    url = gateway.base_url.replace("http", "ws", 1) + "/v1/gateway/other"
    with pytest.raises(InvalidStatus) as refused, connect(url):
        pass
    assert refused.value.response.status_code == 403


def test_stopping_the_gateway_settles_and_says_so(config: dict[str, Any], tmp_path: Any) -> None:
    with Gateway(tmp_path, config=config) as gateway, talking(gateway) as talk:
        talk.say("chat", model="mock-small", content=ENDLESS)
        request_id = talk.hear()["request_id"]
        assert talk.hear()["type"] == "delta"
        gateway.stop()
        assert talk.close_code() == 1012
        (row,) = gateway.records_now(request_id)
        assert row["ending"] == "cancelled"
