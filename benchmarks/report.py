"""Write what was measured: a table to read, JSON to compare, and the promises beside the figures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import chart
from benchmarks.measures import PASSING, Goal, Measures, Result, Translated, goals, ratio, translation_goals
from benchmarks.translation import Cost
from benchmarks.translation import markdown as costs_table


@dataclass(frozen=True, slots=True)
class Run:
    """The circumstances of one run."""

    taken_at: str
    machine: str
    rounds: int
    direct: Measures
    foreign_share: float
    costs: Sequence[Cost] = ()


_UNARY_HEAD = (
    "candidate",
    "calls/s",
    "CPU µs a call",
    "p50 / p99 ms at 64",
    "added ms at 1, p50 / p99",
    "added ms at 8, p50 / p99",
    "idle MiB",
)
_STREAM_HEAD = (
    "candidate",
    "CPU µs a chunk",
    "first byte added ms, p50 / p99",
    "KiB an open stream",
    "chunks/s, 64 paced streams",
    "chunks/s, saturated",
)


_TRANSLATED_HEAD = (
    "candidate, provider's dialect",
    "CPU µs a call",
    "against its own passing",
    "CPU µs a chunk",
    "against its own passing",
)

_SETTING = (
    "Every candidate runs on core 0; the provider stub and the load generator share core 1. "
    "How each figure is taken: [README](../README.md)."
)


def write(results: Mapping[str, Result], run: Run, folder: Path) -> str:
    """Write latest.md, latest.json and latest.svg; return the text of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {name: result.median() for name, result in results.items() if not result.skipped}
    text = markdown(results, rows, run)
    (folder / "latest.md").write_text(text)
    (folder / "latest.json").write_text(json.dumps(document(results, rows, run), indent=2) + "\n")
    (folder / "latest.svg").write_text(chart.draw({results[name].title: row for name, row in rows.items()}))
    return text


def markdown(results: Mapping[str, Result], rows: Mapping[str, Measures], run: Run) -> str:
    """Return the report as Markdown."""
    parts = [
        "# Benchmark",
        _circumstances(run),
        _SETTING,
        "![requests a second and CPU a call](latest.svg)",
        _unary_heading(run.direct),
        table(_UNARY_HEAD, [_unary_row(results[name].title, row) for name, row in rows.items()]),
        _stream_heading(run.direct),
        table(_STREAM_HEAD, [_stream_row(results[name].title, row) for name, row in rows.items()]),
        *_translated_parts(results, run),
        "## Goals",
        table(("goal", "wanted", "measured", ""), [_goal_row(goal) for goal in _goals(results, rows, run)]),
        _ratios(rows),
        "## Candidates",
        "\n".join(_candidate_line(result) for result in results.values()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def document(results: Mapping[str, Result], rows: Mapping[str, Measures], run: Run) -> dict[str, object]:
    """Return the report as plain data, rounds included."""
    return {
        "taken_at": run.taken_at,
        "machine": run.machine,
        "rounds": run.rounds,
        "foreign_share": run.foreign_share,
        "direct": asdict(run.direct),
        "candidates": {
            name: {**asdict(result), "median": asdict(rows[name]) if name in rows else None}
            for name, result in results.items()
        },
        "translation": [
            {
                "pair": cost.pair.title,
                "call_us": cost.call_us,
                "chunk_us": cost.chunk_us,
                "chunk_ratio": cost.chunk_ratio,
            }
            for cost in run.costs
        ],
        "goals": [{**asdict(goal), "met": goal.met} for goal in _goals(results, rows, run)],
    }


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule, *rows])


def number(value: float | None) -> str:
    """Return a figure with three significant digits, or a dash."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def verdict(goal: Goal) -> str:
    """Return the word that stands beside a promise."""
    return "not measured" if goal.met is None else "met" if goal.met else "**not met**"


def _goals(results: Mapping[str, Result], rows: Mapping[str, Measures], run: Run) -> list[Goal]:
    gateway = results.get("gateway", Result(""))
    slowest_us = max((cost.call_us for cost in run.costs), default=None)
    return [*goals(rows), *translation_goals(gateway.median_translated(), slowest_us)]


def _translated_parts(results: Mapping[str, Result], run: Run) -> list[str]:
    """Return what stands of translation: over sockets where it was taken, and in the process."""
    rows = [row for result in results.values() for row in _translated_rows(result)]
    if not rows and not run.costs:
        return []
    heading = (
        "## Translated\n\nThe client speaks OpenAI's dialect, the provider the one named; all of a candidate's rows "
        "come from one process, in turn. Below, the gateway's translation in the process, without a socket."
    )
    parts = [heading]
    if rows:
        parts.append(table(_TRANSLATED_HEAD, rows))
    if run.costs:
        parts.append(costs_table(run.costs))
    return parts


def _translated_rows(result: Result) -> list[tuple[str, ...]]:
    medians = result.median_translated()
    passing = medians.get(PASSING, Translated())
    return [
        (
            f"{result.title}, {name}",
            number(row.cpu_us_per_call),
            _times(row.cpu_us_per_call, passing.cpu_us_per_call),
            number(row.cpu_us_per_chunk),
            _times(row.cpu_us_per_chunk, passing.cpu_us_per_chunk),
        )
        for name, row in medians.items()
    ]


def _times(value: float | None, base: float | None) -> str:
    times = ratio(value, base)
    return "-" if times is None else f"{times:.2f}x"


def _circumstances(run: Run) -> str:
    return (
        f"{run.taken_at} · {run.machine} · median of {run.rounds} alternating round(s) · "
        f"other processes took {run.foreign_share:.0%} of the machine meanwhile"
    )


def _unary_heading(direct: Measures) -> str:
    return (
        "## Whole answers\n\n1 KB in, 0.7 KB out, 64 connections. Added is what lies above the median of the direct "
        f"call, which took {_pair(direct.p50_ms_1, direct.p99_ms_1)} ms (p50 / p99) at 1 connection and "
        f"{_pair(direct.p50_ms_8, direct.p99_ms_8)} ms at 8."
    )


def _stream_heading(direct: Measures) -> str:
    return (
        "## Streams\n\n64 streams of 100 chunks, 10 ms apart; saturated: 64 streams at 1 ms; memory: 1,000 open "
        f"streams. The direct stream's first byte took {_pair(direct.first_byte_p50_ms, direct.first_byte_p99_ms)} ms."
    )


def _pair(first: float | None, second: float | None) -> str:
    return f"{number(first)} / {number(second)}"


def _unary_row(title: str, row: Measures) -> tuple[str, ...]:
    return (
        title,
        number(row.calls_per_s),
        number(row.cpu_us_per_call),
        _pair(row.p50_ms_64, row.p99_ms_64),
        _pair(row.added_p50_ms_1, row.added_p99_ms_1),
        _pair(row.added_p50_ms_8, row.added_p99_ms_8),
        number(row.idle_mib),
    )


def _stream_row(title: str, row: Measures) -> tuple[str, ...]:
    return (
        title,
        number(row.cpu_us_per_chunk),
        _pair(row.added_first_byte_p50_ms, row.added_first_byte_p99_ms),
        number(row.kib_per_stream),
        number(row.chunks_per_s),
        number(row.saturated_chunks_per_s),
    )


def _goal_row(goal: Goal) -> tuple[str, ...]:
    sign = "≥" if goal.at_least else "≤"
    limit = "1/15" if goal.limit == 1 / 15 else f"{goal.limit:g}"
    measured = f"1/{1 / goal.value:.1f}" if limit == "1/15" and goal.value else number(goal.value)
    unit = "" if goal.value is None else goal.unit
    return (goal.title, f"{sign} {limit}{goal.unit}", f"{measured}{unit}", verdict(goal))


def _ratios(rows: Mapping[str, Measures]) -> str:
    """Return how everybody else stands to the bare pass-through, for the reader who wonders what Python costs."""
    bare = rows.get("bare")
    if bare is None:
        return ""
    lines = [
        f"{name} {number(ratio(row.cpu_us_per_call, bare.cpu_us_per_call))}x a call, "
        f"{number(ratio(row.cpu_us_per_chunk, bare.cpu_us_per_chunk))}x a chunk"
        for name, row in rows.items()
        if name != "bare"
    ]
    return f"CPU against the bare pass-through: {'; '.join(lines)}." if lines else ""


def _candidate_line(result: Result) -> str:
    state = f"skipped: {result.skipped}" if result.skipped else result.version
    return "; ".join([f"- {result.title}: {state}", *result.notes])
