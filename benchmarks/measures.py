"""The figures taken of a candidate, and how rounds become one row: pure arithmetic, no clock and no process."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Final

PASSING: Final = "openai"  # the dialect that every client of the comparison speaks


@dataclass(frozen=True, slots=True)
class Measures:
    """One row of figures; None where a figure was not or could not be taken."""

    calls_per_s: float | None = None
    cpu_us_per_call: float | None = None
    serving_us_per_call: float | None = None
    p50_ms_64: float | None = None
    p99_ms_64: float | None = None
    p50_ms_1: float | None = None
    p99_ms_1: float | None = None
    p50_ms_8: float | None = None
    p99_ms_8: float | None = None
    added_p50_ms_1: float | None = None
    added_p99_ms_1: float | None = None
    added_p50_ms_8: float | None = None
    added_p99_ms_8: float | None = None
    chunks_per_s: float | None = None
    cpu_us_per_chunk: float | None = None
    first_byte_p50_ms: float | None = None
    first_byte_p99_ms: float | None = None
    added_first_byte_p50_ms: float | None = None
    added_first_byte_p99_ms: float | None = None
    saturated_chunks_per_s: float | None = None
    idle_mib: float | None = None
    kib_per_stream: float | None = None


@dataclass(frozen=True, slots=True)
class Translated:
    """What a candidate uses where the provider speaks a certain dialect, the client's own or another."""

    cpu_us_per_call: float | None = None
    cpu_us_per_chunk: float | None = None


@dataclass(slots=True)
class Result:
    """Everything known about one candidate: its figures, or why there are none, and what a reader should know."""

    title: str
    version: str = ""
    skipped: str = ""
    memory: Measures = field(default_factory=Measures)
    rounds: list[Measures] = field(default_factory=list)
    translated: list[Mapping[str, Translated]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Keep a remark once."""
        if text not in self.notes:
            self.notes.append(text)

    def median(self) -> Measures:
        """Return the median over the rounds, with the memory figures."""
        return median_of([*self.rounds, self.memory])

    def median_translated(self) -> dict[str, Translated]:
        """Return the median over the rounds by the dialect of the provider; the client's own comes first."""
        names = dict.fromkeys(name for row in self.translated for name in row)
        return {
            name: Translated(
                _median([row[name].cpu_us_per_call for row in self.translated if name in row]),
                _median([row[name].cpu_us_per_chunk for row in self.translated if name in row]),
            )
            for name in names
        }


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise: how it is computed from the rows by name, and on which side of the limit it must be."""

    title: str
    value: float | None
    limit: float
    at_least: bool
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def percentile(values: Iterable[float], share: float) -> float | None:
    """Return the value below which `share` of the values lie (nearest rank), or None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median_of(rows: Sequence[Measures]) -> Measures:
    """Return, figure by figure, the median of those rows that have it."""
    return Measures(**{f.name: _median([getattr(row, f.name) for row in rows]) for f in fields(Measures)})


def difference(value: float | None, base: float | None) -> float | None:
    """Return value minus base where both are known."""
    return None if value is None or base is None else value - base


def ratio(value: float | None, base: float | None) -> float | None:
    """Return value over base where both are known."""
    return None if value is None or not base else value / base


def goals(rows: Mapping[str, Measures]) -> list[Goal]:
    """Return every promise of the project beside what was measured."""
    gateway = rows.get("gateway", Measures())
    unmetered = rows.get("unmetered", Measures())

    def beside(other: str, figure: Callable[[Measures], float | None]) -> float | None:
        return ratio(figure(gateway), figure(rows.get(other, Measures())))

    def requests_per_core(other: str) -> float | None:
        """Take the lower of two ratios: calls a second, which others' load on core 0 can spoil, and CPU a call."""
        theirs = rows.get(other, Measures())
        by_rate = ratio(gateway.calls_per_s, theirs.calls_per_s)
        by_cpu = ratio(theirs.cpu_us_per_call, gateway.cpu_us_per_call)
        return None if by_rate is None or by_cpu is None else min(by_rate, by_cpu)

    def metering_adds(name: str) -> float | None:
        """Take the serving process alone: what is shipped to the database afterwards holds no caller up."""
        return difference(rows.get(name, Measures()).serving_us_per_call, unmetered.serving_us_per_call)

    return [
        Goal("requests per core against LiteLLM", requests_per_core("litellm"), 40, at_least=True),
        Goal("requests per core against Portkey", requests_per_core("portkey"), 5, at_least=True),
        Goal("CPU per call against bare", beside("bare", lambda m: m.cpu_us_per_call), 5, at_least=False),
        Goal(
            "CPU per chunk against LiteLLM",
            beside("litellm", lambda m: m.cpu_us_per_chunk),
            1 / 15,
            at_least=False,
            unit="",
        ),
        Goal("CPU per chunk against bare", beside("bare", lambda m: m.cpu_us_per_chunk), 1.5, at_least=False),
        Goal("first byte added, p99 at 64 streams", gateway.added_first_byte_p99_ms, 5, at_least=False, unit=" ms"),
        Goal("memory of an open stream", gateway.kib_per_stream, 30, at_least=False, unit=" KiB"),
        Goal("metering adds to a call, in process", metering_adds("limited"), 50, at_least=False, unit=" µs"),
        Goal("metering adds to a call, with Redis", metering_adds("shared"), 90, at_least=False, unit=" µs"),
    ]


def translation_goals(gateway: Mapping[str, Translated], slowest_us: float | None) -> list[Goal]:
    """Return what is promised of translation: of a chunk over sockets, and of a request in the process."""
    passing = gateway.get(PASSING, Translated())
    others = [row for name, row in gateway.items() if name != PASSING]
    ratios = [ratio(other.cpu_us_per_chunk, passing.cpu_us_per_chunk) for other in others]
    worst = max((known for known in ratios if known is not None), default=None)
    return [
        Goal("CPU per translated chunk against passing it", worst, 3, at_least=False),
        Goal("translating a request of 10 KB", slowest_us, 150, at_least=False, unit=" µs"),
    ]


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
