"""The gateway's own door: alive, ready, and what a request cost."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.endpoints import native, openai
from gateway.messages import Reply
from gateway.plane import DataPlane
from tests.builders import CHAT, caller, incoming, key_directory, route, snapshot, target
from tests.scripted import Upstream, refusal, whole
from usage.journal.journal import Journal
from usage.records import AttemptRecord

MakePlane = Callable[..., DataPlane]


def read(reply: Reply) -> Any:
    return msgspec.json.decode(reply.body)


async def test_health_asks_for_nothing(make_plane: MakePlane) -> None:
    reply = await native.health(make_plane(), incoming(secret=None))
    assert (reply.status, read(reply)) == (200, {"status": "ok"})


async def test_ready_while_usage_can_be_written_down(make_plane: MakePlane, journal: Journal) -> None:
    plane = make_plane()
    assert read(await native.ready(plane, incoming(secret=None))) == {
        "status": "ready",
        "configuration_version": 1,
        "journal_backlog": 0,
        "journal_bytes": 0,
        "journal_alarming": False,
    }
    journal.close()
    reply = await native.ready(plane, incoming(secret=None))
    assert (reply.status, read(reply)["status"]) == (503, "not ready")


async def test_a_request_of_a_moment_ago_is_told_attempt_by_attempt(make_plane: MakePlane) -> None:
    upstream = Upstream(refusal(500), whole({"prompt_tokens": 10, "completion_tokens": 5}))
    plane = make_plane(upstream, snapshot(route((target("a", "m"),), (target("b", "m"),))))
    await openai.chat_completions(plane, incoming(CHAT, x_request_id="mine"))
    body = read(await native.request_usage(plane, incoming(), "mine"))
    assert (body["request_id"], body["cost_usd"], body["cost_nanos"]) == ("mine", "0.00002", 20_000)
    first, second = body["attempts"]
    assert (first["target"], first["ending"], first["status"], first["error_code"], first["cost_usd"]) == (
        "a/m",
        "refused",
        500,
        "nope",
        "0",
    )
    assert (second["number"], second["ending"], second["error_code"], second["cost_usd"]) == (
        2,
        "completed",
        None,
        "0.00002",
    )
    assert second["usage"] == {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "estimated": False}


class Shipped:
    """A look-up that finds the attempts on a given try."""

    def __init__(self, on_try: int, *found: AttemptRecord) -> None:
        self._on_try = on_try
        self._found = list(found)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, request_id: str, key_id: int) -> list[AttemptRecord]:
        self.asked.append((request_id, key_id))
        return self._found if len(self.asked) >= self._on_try else []


def record(**fields: Any) -> AttemptRecord:
    usual: dict[str, Any] = {
        "attempt_id": "att_1",
        "request_id": "r",
        "started_at_ns": 1,
        "tenant_id": 1,
        "key_id": 1,
        "operation": "chat",
        "route": "m",
        "target": "t",
        "provider": "p",
        "model": "m",
        "ending": "completed",
        "cost_nanos": 7,
    }
    return AttemptRecord(**(usual | fields))


@pytest.mark.parametrize("on_try", range(1, native.LOOK_UP_TRIES + 1))
async def test_one_that_is_still_on_its_way_is_waited_for(
    make_plane: MakePlane, monkeypatch: pytest.MonkeyPatch, on_try: int
) -> None:
    shipped = Shipped(on_try, record())
    monkeypatch.setattr(native, "LOOK_UP_PAUSE_S", 0)
    reply = await native.request_usage(make_plane(usage_of_request=shipped), incoming(), "r")
    assert (reply.status, read(reply)["cost_nanos"]) == (200, 7)
    assert shipped.asked == [("r", 1)] * on_try


async def test_an_unknown_one_is_404_after_a_while(make_plane: MakePlane, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = Shipped(1)
    monkeypatch.setattr(native, "LOOK_UP_PAUSE_S", 0)
    reply = await native.request_usage(make_plane(usage_of_request=shipped), incoming(), "r")
    assert (reply.status, read(reply)["error"]["code"]) == (404, "request_not_found")
    assert len(shipped.asked) == native.LOOK_UP_TRIES


async def test_another_keys_request_is_unknown(make_plane: MakePlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "LOOK_UP_PAUSE_S", 0)
    plane = make_plane(keys=key_directory(mine=caller(), theirs=caller(key_id=2)))
    await openai.chat_completions(plane, incoming(CHAT, secret="mine", x_request_id="r"))
    assert (await native.request_usage(plane, incoming(secret="mine"), "r")).status == 200
    assert (await native.request_usage(plane, incoming(secret="theirs"), "r")).status == 404


async def test_an_unpriced_attempt_makes_the_total_unknown(make_plane: MakePlane) -> None:
    plane = make_plane(usage_of_request=Shipped(1, record(), record(cost_nanos=None)))
    body = read(await native.request_usage(plane, incoming(), "r"))
    assert (body["cost_usd"], body["cost_nanos"]) == (None, None)
    assert [attempt["cost_usd"] for attempt in body["attempts"]] == ["0.000000007", None]


async def test_the_scope_is_needed(make_plane: MakePlane) -> None:
    plane = make_plane(keys=key_directory(k=caller(scopes=frozenset({"inference"}))))
    reply = await native.request_usage(plane, incoming(secret="k"), "r")
    assert (reply.status, read(reply)["error"]["code"]) == (403, "insufficient_scope")
