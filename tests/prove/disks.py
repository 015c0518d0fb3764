"""No room for the journal, on its disk or within its bound: nothing is served unmetered, and nothing served is lost."""

import asyncio
import os
import random
import subprocess
import time
from pathlib import Path

from tests.prove.bed import Bed, ProvenGateway
from tests.prove.budgets import another_crowd
from tests.prove.callers import Callers, any_plan, run
from tests.prove.keys import use_everywhere
from tests.prove.report import Finding

NAME = "disk"
DISK_KIB = 5 * 1024  # two workers' attempts under way take two fifths of it
FULL_WITHIN_S = 60.0
FREE_WITHIN_S = 30.0
RESTARTED_WITHIN_S = 4.0
REFUSALS = 100
CODE = "journal_full"
PLENTY_NANOS = 10**12
BACKLOG = "backlog"
BACKLOG_MIB = 1.5
ALARM = "wait in"


def disk_full(bed: Bed, *, short: bool) -> Finding:
    """The journal's disk is full: calls are refused with 503, a worker is killed even so, and nothing is lost."""
    finding = Finding("journal's disk full")
    gateway = _on_small_disk(bed)
    if gateway is None:
        finding.not_tried = "only root can mount a small disk"
        return finding
    callers, chance = bed.callers(NAME, gateway), random.Random(51)
    bed.set_budget(NAME, PLENTY_NANOS, key=NAME)
    _call_until_full(finding, callers, chance)
    gateway.kill(gateway.worker_pids()[0])
    time.sleep(RESTARTED_WITHIN_S)  # the new one finds no room for its own files
    _resize(_disk_of(bed), DISK_KIB * 16)
    _call_until_served(finding, callers, chance)
    gateway.wait_for_workers()
    another_crowd(bed, finding, callers, budget=NAME)
    return finding


def backlog_full(bed: Bed, *, short: bool) -> Finding:
    """PostgreSQL is away until the journals are as long as they may be: an alarm, then calls are refused with 503."""
    finding = Finding("journals as long as allowed")
    gateway = bed.add_gateway(BACKLOG, workers=2, GATEWAY_JOURNAL_MAX_MB=str(BACKLOG_MIB))
    callers, chance = bed.callers(BACKLOG, gateway), random.Random(52)
    bed.set_budget(BACKLOG, PLENTY_NANOS, key=BACKLOG)
    use_everywhere(callers, gateway)
    bed.postgres.kill()
    try:
        _call_until_full(finding, callers, chance)
    finally:
        bed.postgres.start()
    finding.expect(ALARM in gateway.log, "the log had no alarm before the journals were full")
    _call_until_served(finding, callers, chance)
    another_crowd(bed, finding, callers, budget=BACKLOG)
    return finding


def _on_small_disk(bed: Bed) -> ProvenGateway | None:
    """Start a gateway whose journal has a disk of its own; None where that can't be had."""
    if os.geteuid() != 0:
        return None
    disk = _disk_of(bed)
    disk.mkdir(parents=True)
    if _run("mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "tmpfs", str(disk)):
        return None
    bed.at_end(lambda: _unmount(disk))
    return bed.add_gateway(NAME, workers=2)


def _call_until_full(finding: Finding, callers: Callers, chance: random.Random) -> None:
    """Call until 100 calls in a row or nearly so are refused because nothing could be written down of them."""
    ends_at = time.monotonic() + FULL_WITHIN_S

    def full() -> bool:
        refused = sum(answer.code == CODE for answer in callers.answers[-2 * REFUSALS :])
        return refused >= REFUSALS or time.monotonic() > ends_at

    async def work() -> None:
        async with callers:
            await callers.keep_calling(lambda: any_plan(chance, tokens_max=20), callers=32, until=full)

    run(work)
    refused = sum(answer.code == CODE for answer in callers.answers)
    finding.expect(refused >= REFUSALS, f"{refused} calls were refused: {callers.troubles()}")
    finding.remarks.append(f"{callers.count('whole'):,} calls were served before {refused} were refused")


def _call_until_served(finding: Finding, callers: Callers, chance: random.Random) -> None:
    """Call until 20 calls in a row are served."""
    ends_at = time.monotonic() + FREE_WITHIN_S
    freed_at = time.monotonic()

    async def work() -> None:
        async with callers:
            while time.monotonic() < ends_at:
                answers = await callers.call_together(any_plan(chance) for _ in range(20))
                if all(answer.how == "whole" for answer in answers):
                    finding.remarks.append(f"served again {time.monotonic() - freed_at:.1f} s after there was room")
                    return
                await asyncio.sleep(0.2)
            finding.faults.append(f"not served again after there was room: {callers.troubles()}")

    run(work)


def _disk_of(bed: Bed) -> Path:
    return bed.directory / NAME / "data" / "journal"


def _resize(disk: Path, size_kib: int) -> None:
    assert not _run("mount", "-o", f"remount,size={size_kib}k", str(disk))


def _unmount(disk: Path) -> None:
    assert not _run("umount", str(disk))


def _run(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode
