"""Take the figures of one candidate: a fresh start, a warm-up, then load after load.

Each round starts a candidate anew, so that no round inherits another's heap and only one candidate runs at a time.
"""

import contextlib
import http.client
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import crossing, streams, workload
from benchmarks.candidates import Candidate, Place, direct_door
from benchmarks.measures import Measures, Result, Translated, difference, percentile
from benchmarks.process import CandidateError, Tree, ask, free_port, running, wait_quiet
from benchmarks.unary import Door, run_wrk, write_script
from benchmarks.workload import StreamPlan

CANDIDATE_CORE = 0
LOAD_CORE = 1
STREAMS = 64
HELD_STREAMS = 1000


@dataclass(frozen=True, slots=True)
class Durations:
    """How long each load lasts, in seconds."""

    warm_s: int = 3
    unary_s: int = 4
    latency_s: int = 2
    stream_warm_s: float = 1.5
    stream_s: float = 4.0
    saturated_s: float = 2.0
    hold_within_s: float = 25.0


TRANSLATED = Durations(warm_s=1, unary_s=2, stream_s=2.5)  # there are several of them to each candidate
QUICK = Durations(
    warm_s=1, unary_s=2, latency_s=1, stream_warm_s=1.2, stream_s=2.0, saturated_s=1.0, hold_within_s=15.0
)


@dataclass(frozen=True, slots=True)
class Bench:
    """What all candidates of a run share."""

    upstream_port: int
    durations: Durations


@contextlib.contextmanager
def started(candidate: Candidate, upstream_port: int) -> Iterator[tuple[Tree, Door, Path]]:
    """Run a candidate in a scratch folder until the block ends."""
    with tempfile.TemporaryDirectory(prefix=f"bench-{candidate.name}-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        place = Place(folder, free_port(), upstream_port, free_port())
        with contextlib.ExitStack() as running_now:
            if candidate.beside is not None:
                beside, log = candidate.beside(place), folder / "beside.log"
                running_now.enter_context(running(beside, core=LOAD_CORE, port=place.beside_port, log=log))
            command = candidate.command(place)
            tree = running_now.enter_context(
                running(command, core=CANDIDATE_CORE, port=place.port, log=folder / "output.log")
            )
            door = candidate.door(place)
            _prime(door)
            yield tree, door, folder


def measure_direct(bench: Bench) -> Measures:
    """Measure the provider with nothing in between."""
    door, durations = direct_door(bench.upstream_port), bench.durations
    with tempfile.TemporaryDirectory(prefix="bench-direct-") as name:
        latency = _latency(door, write_script(door, Path(name)), durations)
    load = _stream_load(door, workload.PACED, durations, None)
    return replace(
        latency,
        first_byte_p50_ms=percentile(load.first_byte_ms, 0.5),
        first_byte_p99_ms=percentile(load.first_byte_ms, 0.99),
    )


def measure_round(candidate: Candidate, bench: Bench, direct: Measures, result: Result) -> Measures:
    """Run every timed load against a fresh start of a candidate."""
    durations = bench.durations
    with started(candidate, bench.upstream_port) as (tree, door, folder):
        script = write_script(door, folder)
        run_wrk(door, script, connections=64, seconds=durations.warm_s)
        wait_quiet(tree)
        throughput = _throughput(tree, door, script, bench, result)
        latency = _latency(door, script, durations)
        wait_quiet(tree)
        streaming = _streaming(tree, door, durations, result)
    return _added(_merged(throughput, latency, streaming), direct)


def measure_translated(candidate: Candidate, bench: Bench, result: Result) -> dict[str, Translated]:
    """Load one start of a candidate for each dialect that its providers speak, one after the other."""
    bench = replace(bench, durations=TRANSLATED)
    durations = bench.durations
    taken: dict[str, Translated] = {}
    with started(candidate, bench.upstream_port) as (tree, passing, folder):
        for dialect, door in crossing.doors(passing).items():
            try:
                _prime(door)
                script = write_script(door, folder)
                run_wrk(door, script, connections=64, seconds=durations.warm_s)
                wait_quiet(tree)
                whole = _throughput(tree, door, script, bench, result)
                load = _stream_load(door, workload.PACED, durations, tree)
            except CandidateError as error:
                result.note(f"{dialect} provider: {error}")
                continue
            if load.failed:
                result.note(f"{dialect} provider: {load.failed} streams failed, {load.finished} finished")
            chunk_us = load.cpu_s * 1e6 / load.chunks if load.chunks else None
            taken[dialect.value] = Translated(whole.cpu_us_per_call, chunk_us)
    return taken


def measure_memory(candidate: Candidate, bench: Bench, result: Result) -> Measures:
    """Weigh a fresh start at rest, and again while it holds a thousand streams open."""
    durations = bench.durations
    with started(candidate, bench.upstream_port) as (tree, door, folder):
        script = write_script(door, folder)
        run_wrk(door, script, connections=1, seconds=1)
        wait_quiet(tree)
        idle_kib = tree.pss_kib()
        _stream_load(door, StreamPlan(chunks=5, pace_ms=10), replace(durations, stream_s=1.0), None)
        wait_quiet(tree)
        base_kib = tree.pss_kib()
        live, held_kib = streams.hold_open(
            door, count=HELD_STREAMS, within_s=durations.hold_within_s, then=tree.pss_kib
        )
    if live < HELD_STREAMS * 0.98:
        result.note(f"held {live} of {HELD_STREAMS} open streams, so their memory is not given")
        return Measures(idle_mib=idle_kib / 1024)
    return Measures(idle_mib=idle_kib / 1024, kib_per_stream=(held_kib - base_kib) / live)


def _prime(door: Door) -> None:
    """Ask once of each kind with patience: the first call may load half of a candidate's code."""
    headers = {"content-type": "application/json", **door.headers}
    for path, plan in ((door.path, None), (door.stream_path, StreamPlan(chunks=5, pace_ms=10))):
        body = workload.request_body(door.model, plan=plan)
        try:
            status, answer = ask(door.port, path, method="POST", headers=headers, body=body, timeout_s=60)
        except (OSError, http.client.HTTPException) as error:
            raise CandidateError(f"{'stream' if plan else 'call'} failed: {error}") from error
        if status != 200:
            raise CandidateError(
                f"{'stream' if plan else 'call'} answered {status}: {answer[:160].decode(errors='replace')}"
            )


def _throughput(tree: Tree, door: Door, script: Path, bench: Bench, result: Result) -> Measures:
    """Load with 64 connections; the CPU of work put off until after the load counts too."""
    answered, cpu_s = _answered(bench.upstream_port), tree.cpu_s()
    serving = tree.serving()
    serving_s = tree.cpu_s(serving)
    load = run_wrk(door, script, connections=64, seconds=bench.durations.unary_s)
    wait_quiet(tree)
    arrived = _answered(bench.upstream_port) - answered
    if arrived < load.calls * 0.99:
        result.note(f"only {arrived} of {load.calls} calls reached the provider")
    # The 64 calls in flight at the end were worked on too; counting them all favours slow candidates a little.
    calls = load.calls + 64
    cpu_us = (tree.cpu_s() - cpu_s) * 1e6 / calls
    serving_us = (tree.cpu_s(serving) - serving_s) * 1e6 / calls
    return Measures(
        calls_per_s=load.calls_per_s,
        cpu_us_per_call=cpu_us,
        serving_us_per_call=serving_us,
        p50_ms_64=load.p50_us / 1e3,
        p99_ms_64=load.p99_us / 1e3,
    )


def _latency(door: Door, script: Path, durations: Durations) -> Measures:
    one = run_wrk(door, script, connections=1, seconds=durations.latency_s)
    eight = run_wrk(door, script, connections=8, seconds=durations.latency_s)
    return Measures(
        p50_ms_1=one.p50_us / 1e3,
        p99_ms_1=one.p99_us / 1e3,
        p50_ms_8=eight.p50_us / 1e3,
        p99_ms_8=eight.p99_us / 1e3,
    )


def _streaming(tree: Tree, door: Door, durations: Durations, result: Result) -> Measures:
    paced = _stream_load(door, workload.PACED, durations, tree)
    if paced.failed or not paced.chunks:
        result.note(f"{paced.failed} streams failed, {paced.finished} finished")
    if not paced.chunks:
        return Measures()
    time.sleep(0.5)
    saturated = _stream_load(door, workload.SATURATING, replace(durations, stream_s=durations.saturated_s), tree)
    return Measures(
        chunks_per_s=paced.chunks / paced.window_s,
        cpu_us_per_chunk=paced.cpu_s * 1e6 / paced.chunks,
        first_byte_p50_ms=percentile(paced.first_byte_ms, 0.5),
        first_byte_p99_ms=percentile(paced.first_byte_ms, 0.99),
        saturated_chunks_per_s=saturated.chunks / saturated.window_s,
    )


def _stream_load(door: Door, plan: StreamPlan, durations: Durations, tree: Tree | None) -> streams.StreamLoad:
    pids = tree.pids() if tree else []
    return streams.measure_streams(
        door,
        plan,
        count=STREAMS,
        warm_s=durations.stream_warm_s,
        window_s=durations.stream_s,
        cpu_s=lambda: tree.cpu_s(pids) if tree else 0.0,
    )


def _answered(upstream_port: int) -> int:
    status, body = ask(upstream_port, "/answered")
    if status != 200:
        raise CandidateError(f"the provider stub answered {status}")
    return int(json.loads(body))


def _merged(*rows: Measures) -> Measures:
    known = {name: value for row in rows for name in Measures.__slots__ if (value := getattr(row, name)) is not None}
    return Measures(**known)


def _added(row: Measures, direct: Measures) -> Measures:
    """Add what lies above the direct call's median.

    The median also for the 99th percentile: two percentiles taken at different moments on a shared machine differ by
    its noise, and their difference could flatter a candidate or even turn negative.
    """
    return replace(
        row,
        added_p50_ms_1=difference(row.p50_ms_1, direct.p50_ms_1),
        added_p99_ms_1=difference(row.p99_ms_1, direct.p50_ms_1),
        added_p50_ms_8=difference(row.p50_ms_8, direct.p50_ms_8),
        added_p99_ms_8=difference(row.p99_ms_8, direct.p50_ms_8),
        added_first_byte_p50_ms=difference(row.first_byte_p50_ms, direct.first_byte_p50_ms),
        added_first_byte_p99_ms=difference(row.first_byte_p99_ms, direct.first_byte_p50_ms),
    )
