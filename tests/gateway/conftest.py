"""What the tests of the front door share: a plane with a real journal over an upstream that obeys."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.plane import DataPlane
from providers.adapters.http import HttpClient
from providers.adapters.mock import MockAdapter
from routing.snapshot import Snapshot
from tests.builders import Recorder, key_directory, no_usage, route, snapshot
from tests.scripted import Upstream
from usage.counters.memory import MemoryCounters
from usage.denials import DenialLog
from usage.journal.journal import Journal
from usage.journal.lines import read_entries
from usage.records import AttemptRecord

MakePlane = Callable[..., DataPlane]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal", worker="test", flush_interval_s=0.0)
    yield made
    made.close()


@pytest.fixture
def journaled(journal: Journal) -> Callable[[], list[AttemptRecord]]:
    """What has been written down so far."""

    def read() -> list[AttemptRecord]:
        assert journal.flush(5)
        return [record for record, _ in read_entries(journal.path, 0)]

    return read


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def make_plane(journal: Journal, recorder: Recorder) -> MakePlane:
    """A maker of planes: over the mock, or over a scripted upstream that takes the mock's place."""

    def make(upstream: Upstream | None = None, found: Snapshot | None = None, **fields: Any) -> DataPlane:
        usual: dict[str, Any] = {
            "snapshot": found or snapshot(route()),
            "keys": key_directory(),
            "adapters": {"mock": upstream or MockAdapter(HttpClient()), "openai_compatible": upstream},
            "journal": journal,
            "counters": MemoryCounters("test"),
            "denials": DenialLog(journal),
            "observers": [recorder],
            "chance": random.Random(1),
            "usage_of_request": no_usage,
        }
        return DataPlane(**(usual | fields))

    return make
