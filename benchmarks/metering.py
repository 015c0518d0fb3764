"""What metering adds to a call: `python -m benchmarks.metering [--starts 6] [--slices 6] [--only unmetered,limited]`.

The difference is a quarter of what a call costs and smaller than what one start, or one second, differs from the next.
So every candidate has a server of its own on the same core, all alive at once; they are loaded in turn for a second
each, again and again, and of each one's seconds the lower quartile counts. Then all are started anew. Printed are the
medians over the starts, and the mean difference to the gateway without metering with its standard error, in µs of CPU
of the serving process; shipping, which another process does, is in the second figure.
"""

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.candidates import CANDIDATES
from benchmarks.measure import LOAD_CORE, started
from benchmarks.process import Command, Tree, free_port, raise_file_limit, running, wait_quiet
from benchmarks.unary import Door, run_wrk, write_script

METERED = ("unmetered", "gateway", "limited", "shared")
_BY_NAME = {candidate.name: candidate for candidate in CANDIDATES}
_CONNECTIONS = 64
_ENDS_WITHIN_S = 0.2  # what the serving process still does for the last calls


@dataclass(slots=True)
class Loaded:
    """A server that is alive, and what its calls cost in each slice: of the serving process, and of all."""

    tree: Tree
    door: Door
    script: Path
    serving_us: list[float] = field(default_factory=list)
    whole_us: list[float] = field(default_factory=list)

    def take_slice(self) -> None:
        """Load it for a second."""
        serving = self.tree.serving()
        serving_s, whole_s = self.tree.cpu_s(serving), self.tree.cpu_s()
        calls = run_wrk(self.door, self.script, connections=_CONNECTIONS, seconds=1).calls + _CONNECTIONS
        time.sleep(_ENDS_WITHIN_S)
        self.serving_us.append((self.tree.cpu_s(serving) - serving_s) * 1e6 / calls)
        wait_quiet(self.tree)
        self.whole_us.append((self.tree.cpu_s() - whole_s) * 1e6 / calls)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metering", description=__doc__)
    parser.add_argument("--starts", type=int, default=6)
    parser.add_argument("--slices", type=int, default=6)
    parser.add_argument("--only", default=",".join(METERED), help="the first one is what the others are compared to")
    options = parser.parse_args(arguments)
    names = options.only.split(",")
    raise_file_limit()
    os.sched_setaffinity(0, {LOAD_CORE})
    serving: dict[str, list[float]] = {name: [] for name in names}
    whole: dict[str, list[float]] = {name: [] for name in names}
    with _upstream() as port:
        for _ in range(options.starts):
            for name, loaded in _one_start(names, port, slices=options.slices).items():
                serving[name].append(lower_quartile(loaded.serving_us))
                whole[name].append(lower_quartile(loaded.whole_us))
            print({name: round(taken[-1]) for name, taken in serving.items()}, file=sys.stderr, flush=True)
    print(render(serving, whole))
    return 0


@contextlib.contextmanager
def _upstream() -> Iterator[int]:
    port = free_port()
    here = Path(__file__).parent.parent
    stub = Command([sys.executable, "-m", "benchmarks.upstream", str(port)], {"PYTHONPATH": str(here)}, "/")
    with (
        tempfile.TemporaryDirectory(prefix="bench-upstream-") as folder,
        running(stub, core=LOAD_CORE, port=port, log=Path(folder) / "output.log"),
    ):
        yield port


def _one_start(names: Sequence[str], port: int, *, slices: int) -> dict[str, Loaded]:
    with contextlib.ExitStack() as alive:
        all_loaded = {}
        for name in names:
            tree, door, folder = alive.enter_context(started(_BY_NAME[name], port))
            all_loaded[name] = Loaded(tree, door, write_script(door, folder))
        for loaded in all_loaded.values():
            run_wrk(loaded.door, loaded.script, connections=_CONNECTIONS, seconds=2)
            wait_quiet(loaded.tree)
        for _ in range(slices):
            for loaded in all_loaded.values():
                loaded.take_slice()
        return all_loaded


def lower_quartile(taken: Sequence[float]) -> float:
    """Return what a quarter of some figures are below."""
    return sorted(taken)[len(taken) // 4]


def render(serving: dict[str, list[float]], whole: dict[str, list[float]]) -> str:
    """Return the table of what each candidate took at each start; the first is what the others are compared to."""
    base = next(iter(serving.values()))
    lines = ["| candidate | serving, µs | with shipping, µs | difference, µs |", "|---|---|---|---|"]
    for name, taken in serving.items():
        apart = [one - other for one, other in zip(taken, base, strict=True)]
        error = statistics.stdev(apart) / len(apart) ** 0.5 if len(apart) > 1 else 0.0
        lines.append(
            f"| {_BY_NAME[name].title} | {statistics.median(taken):.0f} | {statistics.median(whole[name]):.0f} "
            f"| {statistics.mean(apart):.1f} ± {error:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
