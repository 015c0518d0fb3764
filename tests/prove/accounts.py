"""The two sets of books, laid side by side: what the provider billed, and what the gateway posted.

An attempt whose usage was reported must stand in both with the same tokens and the same money, to the nano-dollar.
Where the provider could not say (a broken stream, a caller or worker that went away), the gateway has posted an
estimate: that entry must exist once and be marked, and its amount is shown apart. A post without a line on the bill is
only an estimate of something that never reached the provider.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from providers.dialects.canonical import Usage
from providers.mock.bill import Line, read_bill
from tests.prove.stores import PostgreSQL

# The endings of attempts whose provider may never have heard of them, or never said what they used.
UNCERTAIN = frozenset({"lost", "cancelled", "failed", "cut"})
SHOWN_DIFFERENCES = 8
_COUNTS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
)
_CLASSES = _COUNTS[1:3] + _COUNTS[4:]
_RECORDS = f"""
    SELECT attempt_id, request_id, ending, tokens_estimated, cost_nanos, streamed, {", ".join(_COUNTS)}
    FROM usage_usagerecord WHERE request_id LIKE %s
"""
_POSTS = "SELECT attempt_id, amount_nanos, estimated FROM usage_ledgerentry WHERE kind = 'post' AND request_id LIKE %s"


@dataclass(frozen=True, slots=True)
class Record:
    """A usage record, as far as money goes."""

    attempt_id: str
    request_id: str
    ending: str
    estimated: bool
    cost_nanos: int | None
    streamed: bool
    usage: Usage


@dataclass(frozen=True, slots=True)
class Post:
    """A ledger entry that charges an attempt."""

    attempt_id: str
    amount_nanos: int | None
    estimated: bool


@dataclass(slots=True)
class Comparison:
    """What came of laying the books side by side; amounts in nano-dollars.

    `billed_nanos` and `posted_nanos` are of the attempts whose usage was reported. Of the others, `estimated_nanos` was
    posted and `unreported_nanos` billed.
    """

    admitted: int = 0
    billed: int = 0
    billed_nanos: int = 0
    posted: int = 0
    posted_nanos: int = 0
    estimated: int = 0
    estimated_nanos: int = 0
    unreported_nanos: int = 0
    difference_nanos: int = 0
    differences: list[str] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)

    def note(self, attempt_id: str, what: str, nanos: int | None) -> None:
        """Add a difference."""
        self.differences.append(f"{attempt_id}: {what}")
        self.difference_nanos += abs(nanos or 0)


Prices = Mapping[str, Mapping[str, Decimal]]


class Accounts:
    """Reads both sets of books of the requests whose ids begin with a name."""

    def __init__(self, *, bill: Path, postgres: PostgreSQL, prices: Prices) -> None:
        self._bill = bill
        self._postgres = postgres
        self._prices = prices

    def lines(self, name: str) -> list[Line]:
        """Return the lines of the bill."""
        return [line for line in read_bill(self._bill) if line.request_id.startswith(f"{name}-")]

    def records(self, name: str) -> list[Record]:
        """Return the usage records."""
        rows = self._postgres.query(_RECORDS, f"{name}-%")
        return [Record(*row[:6], usage=Usage(**dict(zip(_COUNTS, row[6:], strict=True)))) for row in rows]

    def posts(self, name: str) -> list[Post]:
        """Return the entries of the ledger that charge something."""
        return [Post(*row) for row in self._postgres.query(_POSTS, f"{name}-%")]

    def compare(self, name: str) -> Comparison:
        """Lay the books side by side."""
        found = Comparison()
        lines, records, posts = _by_attempt(self.lines(name)), _by_attempt(self.records(name)), _by_attempt(
            self.posts(name)
        )  # fmt: skip
        for attempt_id in lines.keys() | records.keys() | posts.keys():
            self._compare_attempt(found, attempt_id, lines[attempt_id], records[attempt_id], posts[attempt_id])
        found.admitted = len({line.request_id for several in lines.values() for line in several})
        return found

    def cost_nanos(self, line: Line) -> int:
        """Return what a line of the bill comes to: worked out here, by other code than the gateway's."""
        return cost_nanos(line.usage, self._prices[line.model])

    def _compare_attempt(
        self, found: Comparison, attempt_id: str, lines: list[Line], records: list[Record], posts: list[Post]
    ) -> None:
        bill_nanos = sum(self.cost_nanos(line) for line in lines)
        if len(lines) > 1 or len(records) > 1 or len(posts) > 1:
            found.note(
                attempt_id, f"billed {len(lines)}, recorded {len(records)}, posted {len(posts)} times", bill_nanos
            )
            return
        if not records or not posts:
            found.note(
                attempt_id, f"billed {len(lines)}, recorded {len(records)}, posted {len(posts)} times", bill_nanos
            )
            return
        record, post = records[0], posts[0]
        found.endings[record.ending] += 1
        if (post.amount_nanos, post.estimated) != (record.cost_nanos, record.estimated):
            found.note(attempt_id, f"the record says {record.cost_nanos}, the ledger {post.amount_nanos}", bill_nanos)
        if record.estimated:
            self._note_estimate(found, record, lines, bill_nanos)
            return
        found.billed += len(lines)
        found.billed_nanos += bill_nanos
        found.posted += bool(lines or record.cost_nanos)
        found.posted_nanos += record.cost_nanos or 0
        _compare_exactly(found, record, lines, bill_nanos)

    def _note_estimate(self, found: Comparison, record: Record, lines: list[Line], bill_nanos: int) -> None:
        found.estimated += 1
        found.estimated_nanos += record.cost_nanos or 0
        found.unreported_nanos += bill_nanos
        if record.cost_nanos is None:
            found.note(record.attempt_id, "an estimate without an amount", bill_nanos)
        if record.ending not in UNCERTAIN:
            found.note(record.attempt_id, f"{record.ending}, and estimated all the same", bill_nanos)
        if lines and lines[0].ended == "finished" and lines[0].reported and record.ending in ("failed", "cut"):
            found.note(record.attempt_id, f"{record.ending}, but the provider told its usage to the end", bill_nanos)


def _compare_exactly(found: Comparison, record: Record, lines: list[Line], bill_nanos: int) -> None:
    if record.ending == "lost":
        found.note(record.attempt_id, "lost, and not marked as an estimate", bill_nanos)
    if not lines:
        if record.cost_nanos:
            found.note(record.attempt_id, f"posted {record.cost_nanos}, never billed", record.cost_nanos)
        return
    if lines[0].usage != record.usage:
        found.note(record.attempt_id, f"billed {lines[0].usage}, recorded {record.usage} ({record.ending})", 0)
    if bill_nanos != record.cost_nanos:
        what = f"billed {bill_nanos}, posted {record.cost_nanos} ({record.ending})"
        found.note(record.attempt_id, what, bill_nanos - (record.cost_nanos or 0))


def cost_nanos(usage: Usage, price: Mapping[str, Decimal]) -> int:
    """Return what usage costs at prices in dollars a million tokens, half to even."""
    counts = {name: getattr(usage, name) for name in _CLASSES}
    counts["input_tokens"] = usage.input_tokens - sum(
        counts[name] for name in ("cached_input_tokens", "cache_write_tokens", "audio_input_tokens")
    )
    counts["output_tokens"] = usage.output_tokens - counts["reasoning_tokens"] - counts["audio_output_tokens"]
    usd_times_million = sum((Decimal(count) * price[name] for name, count in counts.items() if count), Decimal())
    return int((usd_times_million * 1000).to_integral_value(rounding=ROUND_HALF_EVEN))


def usd(nanos: int) -> str:
    """Write an amount with all its digits."""
    return f"${Decimal(nanos).scaleb(-9):.9f}"


def _by_attempt(entries: Iterable[object]) -> dict[str, list]:  # type: ignore[type-arg]
    found: dict[str, list] = defaultdict(list)  # type: ignore[type-arg]
    for entry in entries:
        found[entry.attempt_id].append(entry)  # type: ignore[attr-defined]
    return found
