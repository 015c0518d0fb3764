"""What became of every key of a foreign configuration: its line, one verdict, and why."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway_project.configuration.document import Mark, Problem


class Verdict(StrEnum):
    """What a key of the file means here."""

    MAPPED = "mapped"
    WITHOUT_EFFECT = "without effect"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One key of the file. `why` says what it became, or why it did not."""

    verdict: Verdict
    path: str
    at: Mark
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """Every key of the file, in its order, and what else its reader should know."""

    lines: tuple[Line, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """Return how many keys got which verdict."""
        counted = Counter(line.verdict for line in self.lines)
        return {verdict: counted[verdict] for verdict in Verdict}


def render(report: Report) -> str:
    """Return the report as a table with its counts below. Values are never shown: they may be secrets."""
    rows = [(line.verdict.value, str(line.at), line.path, line.why) for line in report.lines]
    header = ("VERDICT", "WHERE", "KEY", "WHY")
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(3)]
    table = [_table_row(row, widths) for row in [header, *rows]]
    warnings = [f"warning: {warning}" for warning in report.warnings]
    counts = ", ".join(f"{count} {verdict.value}" for verdict, count in report.counts.items())
    return "\n".join([*table, "", *warnings, f"{len(rows)} keys: {counts}"])


def _table_row(cells: tuple[str, str, str, str], widths: list[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells[:3], widths, strict=True)]
    return "  ".join([*padded, cells[3]]).rstrip()
