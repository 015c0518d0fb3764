"""Run the comparison: `python -m benchmarks [--quick] [--only gateway,bare] [--rounds 3] [--skip-install]`."""

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import install, report, translation
from benchmarks.candidates import CANDIDATES, Candidate
from benchmarks.measure import (
    LOAD_CORE,
    QUICK,
    Bench,
    Durations,
    measure_direct,
    measure_memory,
    measure_round,
    measure_translated,
)
from benchmarks.measures import Measures, Result, median_of
from benchmarks.process import CandidateError, Command, Machine, free_port, raise_file_limit, running

_HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Install, measure and write the report; return the exit status."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, _stop)  # so that what we started ends with us
    if (os.cpu_count() or 1) < 2:
        print("the comparison needs two cores: one for the candidate, one for the load", file=sys.stderr)
        return 2
    try:
        install.system_package("wrk", "wrk")
    except CandidateError as error:
        print(f"no load generator: {error}", file=sys.stderr)
        return 2
    chosen = [c for c in CANDIDATES if not options.only or c.name in options.only]
    results = {c.name: _prepared(c, skip_install=options.skip_install) for c in chosen}
    raise_file_limit()
    os.sched_setaffinity(0, {LOAD_CORE})
    run = _measure_all(chosen, results, options)
    print(report.write(results, run, options.results))
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = {candidate.name for candidate in CANDIDATES}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short loads, one round: a smoke test, not a result")
    parser.add_argument("--only", default="", help=f"candidates, with commas between: {', '.join(sorted(names))}")
    parser.add_argument("--rounds", type=int, default=0, help="alternating rounds (3; with --quick 1)")
    parser.add_argument("--skip-install", action="store_true", help="take what is installed, fetch nothing")
    parser.add_argument("--limit-s", type=float, default=900, help="begin no further round after so many seconds")
    parser.add_argument("--results", type=Path, default=_HERE / "results", help="folder for the report")
    options = parser.parse_args(arguments)
    options.only = {name for name in options.only.split(",") if name}
    if unknown := options.only - names:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def _prepared(candidate: Candidate, *, skip_install: bool) -> Result:
    result = Result(candidate.title)
    try:
        if not skip_install:
            _say(f"{candidate.name}: install")
            candidate.install()
        result.version = candidate.version()
    except CandidateError as error:
        result.skipped = str(error)
        _say(f"{candidate.name}: skipped, {error}")
    return result


def _measure_all(chosen: Sequence[Candidate], results: dict[str, Result], options: argparse.Namespace) -> report.Run:
    durations = QUICK if options.quick else Durations()
    until = time.monotonic() + options.limit_s
    port = free_port()
    stub = Command([sys.executable, "-m", "benchmarks.upstream", str(port)], {"PYTHONPATH": str(_HERE.parent)}, "/")
    machine = Machine()
    directs: list[Measures] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-upstream-") as folder,
        running(stub, core=LOAD_CORE, port=port, log=Path(folder) / "output.log"),
    ):
        bench = Bench(port, durations)
        for candidate in chosen:
            _take_memory(candidate, bench, results[candidate.name])
        while len(directs) < options.rounds and (not directs or time.monotonic() < until):
            directs.append(measure_direct(bench))
            for candidate in chosen:
                _take_round(candidate, bench, directs, results[candidate.name])
            for candidate in chosen:
                if candidate.translates:
                    _take_translated(candidate, bench, len(directs), results[candidate.name])
    _skip_the_silent(results)
    _say("translation in the process")
    return report.Run(
        taken_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=_machine(),
        rounds=len(directs),
        direct=median_of(directs),
        foreign_share=machine.foreign_share(),
        costs=translation.measure(rounds=5 if options.quick else 15),
    )


def _skip_the_silent(results: Mapping[str, Result]) -> None:
    for result in results.values():
        if not result.rounds and not result.skipped:
            result.skipped = "; ".join(result.notes)
            result.notes.clear()


def _take_memory(candidate: Candidate, bench: Bench, result: Result) -> None:
    def take() -> None:
        result.memory = measure_memory(candidate, bench, result)

    _attempt(candidate, result, "memory", take)


def _take_round(candidate: Candidate, bench: Bench, directs: Sequence[Measures], result: Result) -> None:
    def take() -> None:
        result.rounds.append(measure_round(candidate, bench, directs[-1], result))

    _attempt(candidate, result, f"round {len(directs)}", take)


def _take_translated(candidate: Candidate, bench: Bench, number: int, result: Result) -> None:
    def take() -> None:
        result.translated.append(measure_translated(candidate, bench, result))

    _attempt(candidate, result, f"round {number}, translated", take)


def _attempt(candidate: Candidate, result: Result, what: str, take: Callable[[], None]) -> None:
    """Take figures; a candidate that fails loses this part only."""
    if result.skipped:
        return
    _say(f"{candidate.name}: {what}")
    try:
        take()
    except CandidateError as error:
        _say(f"{candidate.name}: {error}")
        result.note(f"{what}: {error}")


def _machine() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    return f"{os.cpu_count()} cores of {model}, Linux {platform.release().split('-')[0]}, {platform.python_version()}"


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _stop(number: int, frame: object) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
