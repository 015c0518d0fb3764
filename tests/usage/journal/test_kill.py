"""A worker that is killed in the middle of its work: what it said it had begun is in the database, once."""

import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from usage.ledger.shipper import Shipper
from usage.models import LedgerEntry, UsageHour, UsageRecord

pytestmark = pytest.mark.usefixtures("database")

# Says what it has begun and ended once that is so. The number of an attempt tells what it will have cost.
WORKER = r"""
import os, pathlib, sys
from providers.dialects.canonical import Usage
from usage.journal.journal import Journal
from usage.records import AttemptRecord

journal = Journal(pathlib.Path(sys.argv[1]), worker=sys.argv[2], rotate_bytes=50_000, sync_interval_s=0.01)
under_way = {}

def record(number, ending, tokens, cost_nanos):
    return AttemptRecord(
        attempt_id=f"att_{sys.argv[2]}_{number:06d}", request_id="req", started_at_ns=1_767_225_600 * 10**9 + number,
        tenant_id=1, key_id=1, operation="chat", route="smart", target="acme/acme-1", provider="acme", model="acme-1",
        ending=ending, usage=Usage(output_tokens=tokens), cost_nanos=cost_nanos,
    )

for number in range(1, 1_000_000):
    under_way[number] = journal.begin(record(number, "lost", 0, 1))
    os.write(1, b"b %d\n" % number)
    if number % 3:
        journal.revise(under_way[number], record(number, "lost", 10, 2))
        os.write(1, b"r %d\n" % number)
    if number > 20 and number % 10:
        ended = number - 20
        if ended in under_way:
            journal.end(under_way.pop(ended), record(ended, "completed", 100, 1_000 + ended))
            os.write(1, b"e %d\n" % ended)
"""


def start(directory: Path, worker: str) -> "subprocess.Popen[bytes]":
    """Start a worker; it has begun with something when this returns."""
    process = subprocess.Popen([sys.executable, "-c", WORKER, str(directory), worker], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 2) == b"b "
    return process


def run_and_kill(directory: Path, worker: str, *, after_bytes: int) -> dict[str, set[int]]:
    """Return the numbers that the worker had begun, revised and ended by its own word, until it was killed."""
    process = start(directory, worker)
    assert process.stdout is not None
    said = b"b "
    while len(said) < after_bytes:
        said += os.read(process.stdout.fileno(), after_bytes)
    os.kill(process.pid, signal.SIGKILL)
    said += process.stdout.read()
    process.wait()
    process.stdout.close()
    words = re.findall(rb"(\w) (\d+)\n", said)
    return {word: {int(number) for name, number in words if name == word.encode()} for word in "bre"}


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_loses_nothing_that_was_begun(tmp_path: Path, seed: int) -> None:
    worker = f"w{seed}"
    said = run_and_kill(tmp_path, worker, after_bytes=random.Random(seed).randrange(2_000, 50_000))
    finished: list[str] = []
    shipper = Shipper(tmp_path, on_finished=finished.append)
    shipper.ship_once()
    rows = {
        int(attempt_id.rpartition("_")[2]): values
        for attempt_id, *values in UsageRecord.objects.values_list("pk", "ending", "output_tokens", "cost_nanos")
    }
    # Whatever it was about to say is at most one step ahead of what it said.
    assert said["b"] <= rows.keys()
    assert len(rows.keys() - said["b"]) <= 1
    assert len(said["b"]) > 100
    ended = {number for number, (ending, *_) in rows.items() if ending == "completed"}
    assert said["e"] <= ended
    assert len(ended - said["e"]) <= 1
    assert all(rows[number] == ["completed", 100, 1_000 + number] for number in ended)
    assert all(rows[number] == ["lost", 10, 2] for number in said["r"] - ended)
    assert all(rows[number][0] == "lost" for number in rows.keys() - ended)
    assert finished == [worker]
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".rejected"]
    assert LedgerEntry.objects.filter(kind="post").count() == len(rows)
    assert sum(UsageHour.objects.values_list("cost_nanos", flat=True)) == sum(cost for *_, cost in rows.values())


def test_shipping_beside_workers_that_are_killed_counts_everything_once(tmp_path: Path) -> None:
    begun: set[str] = set()
    finished: set[str] = set()
    shipper = Shipper(tmp_path, batch_records=300, on_finished=finished.add)
    for number in range(3):
        survivor = start(tmp_path, f"s{number}")
        said = run_and_kill(tmp_path, f"w{number}", after_bytes=5_000)
        begun |= {f"att_w{number}_{attempt:06d}" for attempt in said["b"]}
        shipper.ship_once()
        survivor.kill()
        survivor.communicate()
    shipper.ship_once()
    shipper.ship_once()
    assert begun <= set(UsageRecord.objects.values_list("pk", flat=True))
    assert finished == {"w0", "w1", "w2", "s0", "s1", "s2"}
    attempts = UsageRecord.objects.count()
    assert sum(UsageHour.objects.values_list("attempts", flat=True)) == attempts
    assert LedgerEntry.objects.filter(kind="post").count() == attempts
