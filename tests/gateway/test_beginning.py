"""An attempt begins with a place at its provider and a line in the journal, or not at all."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.beginning import begin, require_journal
from gateway.call import Attempt
from gateway.plane import DataPlane
from kernel.errors import Unavailable, UpstreamBusy
from tests.builders import UnwrittenJournal, call, route, snapshot, target
from usage.policy import Policy, ProviderLimit
from usage.records import AttemptRecord

MakePlane = Callable[..., DataPlane]
ONE_AT_ONCE = Policy(providers={"a": (ProviderLimit(9, "one", "a", 1),)})


class FullJournal(UnwrittenJournal):
    """A journal whose disk is full."""

    def begin(self, record: AttemptRecord) -> int:
        raise OSError("no space")


async def test_what_has_no_place_has_not_begun(make_plane: MakePlane) -> None:
    made = call(replace(snapshot(route((target("a", "m"),))), policy=ONE_AT_ONCE))
    plane = make_plane()
    first, second = (Attempt(number=n, target=target("a", "m"), because="") for n in (1, 2))
    await begin(plane, made, first, lambda: first.record_if_lost(made, first.usage, 0, None))
    with pytest.raises(UpstreamBusy):
        await begin(plane, made, second, lambda: second.record_if_lost(made, second.usage, 0, None))
    assert made.attempts == [first]


async def test_what_can_not_be_written_down_gives_its_place_back(make_plane: MakePlane) -> None:
    made = call(replace(snapshot(route((target("a", "m"),))), policy=ONE_AT_ONCE))
    plane = make_plane()
    kept, plane.journal = plane.journal, FullJournal()
    attempt = Attempt(number=1, target=target("a", "m"), because="")
    with pytest.raises(Unavailable):
        await begin(plane, made, attempt, lambda: attempt.record_if_lost(made, attempt.usage, 0, None))
    assert made.attempts == []
    plane.journal = kept
    await begin(plane, made, attempt, lambda: attempt.record_if_lost(made, attempt.usage, 0, None))
    assert made.attempts == [attempt]


def test_no_journal_no_call(make_plane: MakePlane) -> None:
    plane = make_plane()
    require_journal(plane)
    plane.journal = UnwrittenJournal()
    plane.journal.accepting = False  # type: ignore[misc]
    with pytest.raises(Unavailable):
        require_journal(plane)
