"""What a scenario found, and the table of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.prove.accounts import SHOWN_DIFFERENCES, Comparison, usd
from tests.prove.callers import Callers

HEAD = ("scenario", "calls", "admitted", "refused", "billed", "posted", "estimated", "difference", "verdict")


@dataclass
class Finding:
    """What came of a scenario. `faults` are promises that were broken, `remarks` what a reader may want to know.

    `not_tried` is the reason where this machine can't have what the scenario needs.
    """

    scenario: str
    calls: int = 0
    refused: int = 0
    books: Comparison = field(default_factory=Comparison)
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    not_tried: str = ""

    def expect(self, holds: bool, fault: str) -> None:
        """Note a fault unless something holds."""
        if not holds:
            self.faults.append(fault)

    def take(self, *callers: Callers) -> None:
        """Count what callers saw."""
        self.calls += sum(one.made for one in callers)
        self.refused += sum(one.count("refused") for one in callers)

    @property
    def proven(self) -> bool:
        """Tell whether everything was as promised."""
        return not self.faults and not self.books.differences

    @property
    def verdict(self) -> str:
        """Return the word for the last column."""
        return "NOT PROVEN" if not self.proven else "not tried" if self.not_tried else "exact"


def table(findings: Sequence[Finding]) -> str:
    """Return the findings as a table in Markdown whose columns line up."""
    rows = [HEAD, *(_row(finding) for finding in findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["| " + " | ".join(_align(row, widths)) + " |" for row in rows]
    rule = "|" + "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def remarks(finding: Finding) -> str:
    """Return what there is to say besides, a line each."""
    shown = finding.books.differences[:SHOWN_DIFFERENCES]
    more = len(finding.books.differences) - len(shown)
    lines = [f"  {remark}" for remark in [finding.not_tried, *finding.remarks, _of_estimates(finding)] if remark]
    lines += [f"  FAULT {fault}" for fault in finding.faults]
    lines += [f"  DIFFERENCE {difference}" for difference in shown]
    return "\n".join([*lines, f"  and {more} more differences"] if more else lines)


def _of_estimates(finding: Finding) -> str:
    books = finding.books
    if not books.estimated:
        return ""
    return f"{books.estimated:,} estimates come to {usd(books.estimated_nanos)}, billed {usd(books.unreported_nanos)}"


def _row(finding: Finding) -> tuple[str, ...]:
    books = finding.books
    return (
        finding.scenario,
        f"{finding.calls:,}",
        f"{books.admitted:,}",
        f"{finding.refused:,}",
        f"{books.billed:,} {usd(books.billed_nanos)}",
        f"{books.posted:,} {usd(books.posted_nanos)}",
        f"{books.estimated:,} {usd(books.estimated_nanos)}",
        usd(books.difference_nanos),
        finding.verdict,
    )


def _align(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
