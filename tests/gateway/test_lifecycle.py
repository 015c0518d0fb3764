"""One worker's life: it starts once, follows the database, serves without it, and loses nothing at its end."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import call_command
from django.db import OperationalError

from gateway import counting, lifecycle
from gateway.endpoints import openai
from gateway.lifecycle import Lifecycle
from providers.models import Provider
from routing.models import Route, Target
from tenants import keys
from tenants.models import Key, Tenant
from tests.builders import CHAT, Recorder, incoming
from tests.databases import eventually, in_thread, sqlite_file
from usage.counters.memory import MemoryCounters
from usage.journal.lines import read_entries

SECRET = "sk-gw-lifecycle"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[None]:
    with sqlite_file(tmp_path_factory.mktemp("database") / "test.sqlite3", django_db_blocker):
        yield


@pytest.fixture
def configured(database: None) -> None:
    call_command("flush", verbosity=0, interactive=False)
    keys.issue(tenant=Tenant.objects.create(slug="t", name="T"), name="k", secret=SECRET)
    provider = Provider.objects.create(slug="mock", kind="mock")
    Target.objects.create(route=Route.objects.create(name="m"), provider=provider, model="mock-small")


@pytest.fixture
def started_settings(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.GATEWAY_JOURNAL_DIR = tmp_path / "journal"
    settings.GATEWAY_INLINE_HOUSEKEEPER = False
    monkeypatch.setattr(lifecycle, "REFRESH_INTERVAL_S", 0.01)
    return settings


@pytest.fixture
async def running(configured: None, started_settings: Any) -> AsyncIterator[Lifecycle]:
    worker = Lifecycle([])
    await worker.ensure_started()
    yield worker
    await worker.stop()


class Outage:
    """Makes every look at the database fail for as long as it is on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = False
        self.refused = 0
        for module, name in ((lifecycle, "_read_changes"), (lifecycle, "compile_snapshot"), (lifecycle.keys, "find")):
            monkeypatch.setattr(module, name, self._guard(getattr(module, name)))

    def _guard(self, usual: Any) -> Any:
        def guarded(*args: Any) -> Any:
            if self.on:
                self.refused += 1
                raise OperationalError("the server is gone")
            return usual(*args)

        return guarded


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    return Outage(monkeypatch)


async def ask(worker: Lifecycle, *, secret: str = SECRET, model: str = "m") -> tuple[int, str]:
    reply = await openai.chat_completions(worker.plane, incoming(CHAT | {"model": model}, secret=secret))
    body = msgspec.json.decode(reply.body)
    return reply.status, body["error"]["code"] if "error" in body else ""


async def refreshed(worker: Lifecycle) -> None:
    """Wait until a refresh that began after now has ended."""
    read = lifecycle._read_changes
    rounds: list[int] = []

    def counted(version: int) -> Any:
        rounds.append(version)
        return read(version)

    lifecycle._read_changes = counted
    try:
        await eventually(lambda: len(rounds) >= 3)
    finally:
        lifecycle._read_changes = read


async def test_it_starts_once_whoever_asks(configured: None, started_settings: Any) -> None:
    worker = Lifecycle([])
    with pytest.raises(RuntimeError, match="not been started"):
        _ = worker.plane
    await asyncio.gather(*(worker.ensure_started() for _ in range(10)))
    plane = worker.plane
    await worker.ensure_started()
    assert worker.plane is plane
    assert len(list(started_settings.GATEWAY_JOURNAL_DIR.glob("*.journal"))) == 1
    await worker.stop()


async def test_a_start_that_failed_is_tried_again(configured: None, started_settings: Any, outage: Outage) -> None:
    worker = Lifecycle([])
    outage.on = True
    for _ in range(2):
        with pytest.raises(OperationalError):
            await worker.ensure_started()
    outage.on = False
    await worker.ensure_started()
    assert await ask(worker) == (200, "")
    await worker.stop()


class WatchedCounters(MemoryCounters):
    closed = 0

    async def aclose(self) -> None:
        self.closed += 1


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[WatchedCounters]:
    """The counters that were opened."""
    kept: list[WatchedCounters] = []

    async def build(**how: Any) -> WatchedCounters:
        kept.append(WatchedCounters(how["worker"]))
        return kept[-1]

    monkeypatch.setattr(counting, "build_counters", build)
    return kept


async def test_a_start_without_configuration_opens_no_counters(
    configured: None, started_settings: Any, outage: Outage, opened: list[WatchedCounters]
) -> None:
    worker = Lifecycle([])
    outage.on = True
    with pytest.raises(OperationalError):
        await worker.ensure_started()
    assert opened == []
    await worker.stop()


async def test_a_start_without_a_journal_lets_go_of_its_counters(
    configured: None, started_settings: Any, tmp_path: Path, opened: list[WatchedCounters]
) -> None:
    started_settings.GATEWAY_JOURNAL_DIR = tmp_path / "file"
    started_settings.GATEWAY_JOURNAL_DIR.write_bytes(b"")
    worker = Lifecycle([])
    with pytest.raises(OSError, match="file"):
        await worker.ensure_started()
    assert [counters.closed for counters in opened] == [1]
    await worker.stop()


async def test_a_starter_that_gives_up_does_not_stop_the_start(configured: None, started_settings: Any) -> None:
    worker = Lifecycle([])
    first = asyncio.ensure_future(worker.ensure_started())
    await asyncio.sleep(0)
    first.cancel()
    await worker.ensure_started()
    assert await ask(worker) == (200, "")
    await worker.stop()


async def test_a_new_route_is_served_and_a_deleted_one_is_not(running: Lifecycle) -> None:
    assert await ask(running, model="new") == (404, "model_not_found")
    version = running.plane.snapshot.version

    def add() -> None:
        route = Route.objects.create(name="new")
        Target.objects.create(route=route, provider=Provider.objects.get(), model="mock-small")

    await in_thread(add)
    await eventually(lambda: running.plane.snapshot.find_route(tenant_id=1, name="new") is not None)
    assert running.plane.snapshot.version > version
    assert await ask(running, model="new") == (200, "")
    await in_thread(lambda: Route.objects.filter(name="new").delete())
    await eventually(lambda: running.plane.snapshot.find_route(tenant_id=1, name="new") is None)


async def test_without_a_change_the_snapshot_stays(running: Lifecycle) -> None:
    before = running.plane.snapshot
    await refreshed(running)
    assert running.plane.snapshot is before


async def test_a_revoked_key_is_refused_soon(running: Lifecycle) -> None:
    assert await ask(running) == (200, "")
    await in_thread(lambda: keys.revoke(Key.objects.get()))
    await refreshed(running)
    assert await ask(running) == (401, "revoked_api_key")


async def test_a_suspended_tenant_is_refused_soon_and_comes_back(running: Lifecycle) -> None:
    def turn(status: str) -> None:
        tenant = Tenant.objects.get()
        tenant.status = status
        tenant.save()

    assert await ask(running) == (200, "")
    await in_thread(lambda: turn("suspended"))
    await refreshed(running)
    assert await ask(running) == (403, "tenant_suspended")
    await in_thread(lambda: turn("active"))
    await refreshed(running)
    assert await ask(running) == (200, "")


async def test_without_the_database_known_keys_go_on(
    running: Lifecycle, outage: Outage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running.plane.keys, "forget", lambda digests: None)  # as if it had changed long ago
    assert await ask(running) == (200, "")
    snapshot = running.plane.snapshot
    with caplog.at_level(logging.WARNING, logger="gateway.lifecycle"):
        outage.on = True
        await eventually(lambda: outage.refused >= 5)
        assert await ask(running) == (200, "")
        assert await ask(running, secret="sk-gw-unknown") == (503, "database_unavailable")
        assert running.plane.snapshot is snapshot
        said = [entry.message for entry in caplog.records if "configuration can't be read" in entry.message]
        assert len(said) == 1
        outage.on = False
        await in_thread(lambda: Route.objects.create(name="later").targets.create(provider=Provider.objects.get()))
        await eventually(lambda: running.plane.snapshot is not snapshot)
    assert await ask(running, secret="sk-gw-unknown") == (401, "invalid_api_key")


async def test_the_end_writes_everything_down(configured: None, started_settings: Any) -> None:
    recorder = Recorder()
    worker = Lifecycle([recorder])
    await worker.ensure_started()
    plane = worker.plane
    for _ in range(5):
        assert await ask(worker) == (200, "")
    await worker.stop()
    written = [record for record, _ in read_entries(plane.journal.path, 0)]
    assert written == recorder.attempts
    assert len(written) == 5
    assert not plane.journal.accepting
    with pytest.raises(RuntimeError, match="not been started"):
        _ = worker.plane


async def test_the_end_of_what_never_began_is_quiet() -> None:
    await Lifecycle([]).stop()


async def test_the_housekeeper_may_live_inside(configured: None, started_settings: Any) -> None:
    started_settings.GATEWAY_INLINE_HOUSEKEEPER = True
    worker = Lifecycle([])
    await worker.ensure_started()
    assert "shipper" in {thread.name for thread in threading.enumerate()}
    await worker.stop()
    names = {thread.name for thread in threading.enumerate()}
    assert "shipper" not in names
    assert not {name for name in names if name.startswith("data-plane-db")}
