"""The memory of recent usage is bounded, and observers change nothing."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from gateway import plane
from gateway.call import Attempt, Call, Outcome
from gateway.plane import DataPlane, RecentUsage
from gateway.settlement import settle_cancelled
from tests.builders import Recorder, call, target
from usage.records import AttemptRecord


def record(request_id: str = "r", *, key_id: int = 1, **fields: Any) -> AttemptRecord:
    attempt = Attempt(number=1, target=target(), because="", ending="completed", **fields)
    made = attempt.record(call(request_id=request_id))
    return AttemptRecord(**{name: getattr(made, name) for name in made.__struct_fields__} | {"key_id": key_id})


def test_attempts_are_found_by_their_key_only() -> None:
    recent = RecentUsage()
    first, second, other = record(), record(), record(key_id=2)
    for one in (first, second, other):
        recent.add(one)
    assert recent.find(key_id=1, request_id="r") == [first, second]
    assert recent.find(key_id=2, request_id="r") == [other]
    assert recent.find(key_id=3, request_id="r") == recent.find(key_id=1, request_id="x") == []


def test_the_oldest_request_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plane, "RECENT_REQUESTS_MAX", 3)
    recent = RecentUsage()
    for number in range(5):
        recent.add(record(str(number)))
    known = [number for number in range(5) if recent.find(key_id=1, request_id=str(number))]
    assert known == [2, 3, 4]


def test_a_request_id_that_is_used_again_and_again_fills_no_memory() -> None:
    recent = RecentUsage()
    for _ in range(plane.RECENT_ATTEMPTS_MAX):
        recent.add(record())
    assert len(recent.find(key_id=1, request_id="r")) == plane.RECENT_ATTEMPTS_MAX
    for _ in range(plane.RECENT_ATTEMPTS_MAX):
        recent.add(record())
    assert recent.find(key_id=1, request_id="r") == []  # the database knows them all; half of them would mislead
    [kept] = recent._by_request.values()
    assert len(kept) <= plane.RECENT_ATTEMPTS_MAX + 1


class Broken:
    """An observer with a bug."""

    def attempt_ended(self, call: Call, attempt: Attempt) -> None:
        raise RuntimeError("a bug")

    def call_ended(self, outcome: Outcome) -> None:
        raise RuntimeError("a bug")


def test_an_observer_that_fails_is_logged_and_the_next_one_hears(
    make_plane: Callable[..., DataPlane], recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    made = make_plane(observers=[Broken(), recorder])
    under_way = call(attempts=[Attempt(number=1, target=target(), because="")])
    with caplog.at_level(logging.ERROR):
        settle_cancelled(made, under_way)
        made.call_ended(Outcome(under_way, 200, None, 1))
    assert (recorder.endings, len(recorder.outcomes)) == (["cancelled"], 1)
    assert [entry.name for entry in caplog.records] == ["gateway.plane"] * 2
