"""What travels between a worker and Redis: many calls and corrections in one request, their verdicts in its answer."""

import asyncio
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from usage.counters.base import Check, Contribution, Verdict
from usage.counters.memory import MemoryCounters
from usage.counters.tally import Tally, key_of, window_of
from usage.windows import Window

Row = tuple[str, float, int, bool, int]


class BatchReply(msgspec.Struct, array_like=True):
    """`slices` and `sums` go with the rows; a result is the refused check from 1 on or 0, the wait, and the sums."""

    status: str
    now_s: float
    slices: list[int]
    sums: list[int]
    results: list[list[int]]


class BeginReply(msgspec.Struct, array_like=True):
    """`stands_in` names the parts that the worker has in tracked counters, as name@slice."""

    status: str
    now_s: float
    epoch: str
    stands_in: list[str]


class BeatReply(msgspec.Struct, array_like=True):
    """`number` is what the worker's next request must carry, `living` how many workers were heard lately."""

    status: str
    now_s: float
    epoch: str
    number: str
    living: int


class Call:
    """Checks that wait for their verdict."""

    __slots__ = ("answer", "checks", "peek")

    def __init__(self, checks: Sequence[Check], answer: asyncio.Future[Verdict], *, peek: bool) -> None:
        self.checks = checks
        self.answer = answer
        self.peek = peek


class Deltas:
    """Corrections that wait to be sent, summed by counter and slice."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, int], tuple[Tally, int]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[tuple[Tally, int, int]]:
        """Return each counter, slice and correction."""
        return iter([(tally, number, delta) for (_, number), (tally, delta) in self._waiting.items()])

    def add(self, tally: Tally, number: int, delta: int) -> None:
        """Add to the correction of a slice."""
        place = (tally.key, number)
        waiting = self._waiting.get(place)
        self._waiting[place] = (tally, delta if waiting is None else waiting[1] + delta)

    def take(self, at_most: int) -> "Deltas":
        """Remove some and return them."""
        taken = Deltas()
        if len(self._waiting) <= at_most:
            taken._waiting, self._waiting = self._waiting, taken._waiting
        else:
            for place in list(islice(self._waiting, at_most)):
                taken._waiting[place] = self._waiting.pop(place)
        return taken

    def put_back(self, taken: "Deltas") -> None:
        """Add what was taken again."""
        for tally, number, delta in taken:
            self.add(tally, number, delta)

    def drop_tracked(self) -> None:
        """Forget the corrections of tracked counters."""
        self._waiting = {place: waiting for place, waiting in self._waiting.items() if not waiting[0].tracked}


class Batch:
    """A request under way. Until its answer is there nobody knows whether it was carried out."""

    def __init__(self, calls: list[Call], deltas: Deltas, mirror: MemoryCounters, *, number: int) -> None:
        self.calls = calls
        self.deltas = deltas
        self.number = number
        self.tallies: list[Tally] = []
        self._places: dict[str, int] = {}
        self._changes = [(self._place(tally), slice_, delta) for tally, slice_, delta in deltas]
        now_s = mirror.now_s()
        self._calls = [self._encode(call, mirror.tallies_of(call.checks, now_s)) for call in calls]

    def request(self, epoch: str, worker: str) -> object:
        """Return what is sent."""
        rows = [_row_of(tally) for tally in self.tallies]
        return (epoch, worker, str(self.number), rows, self._changes, self._calls)

    def verdicts(self, reply: BatchReply) -> Iterator[tuple[Call, Verdict]]:
        """Return each call's verdict."""
        slices = reply.slices
        for call, sent, result in zip(self.calls, self._calls, reply.results, strict=True):
            numbers = tuple([slices[place] for place in sent[1::3]])
            if result[0]:
                refused = result[0] - 1
                wait_s = _wait_s(call.checks[refused], self.tallies[sent[1 + 3 * refused]], result[1], reply.now_s)
                yield call, Verdict(refused, tuple(result[2:]), numbers, wait_s)
            else:
                yield call, Verdict(None, tuple(result[2:]), numbers)

    def _place(self, tally: Tally) -> int:
        """Return a counter's place among the rows: each stands there once."""
        place = self._places.get(tally.key)
        if place is None:
            place = self._places[tally.key] = len(self.tallies)
            self.tallies.append(tally)
        return place

    def _encode(self, call: Call, tallies: Sequence[Tally]) -> list[int]:
        encoded: list[int] = [call.peek]
        for check, tally in zip(call.checks, tallies, strict=True):
            limit = check.limit
            encoded += (self._place(tally), check.amount, False if limit is None else limit)
        return encoded


class Push(msgspec.Struct, frozen=True):
    """Corrections on their way with a worker's own numbers."""

    number: int
    changes: list[Contribution]


def _row_of(tally: Tally) -> Row:
    """Return a counter as scripts want it."""
    window = tally.window
    if window.kind == "sliding":
        return (tally.key, window.span_s, 0, tally.tracked, 0)
    ends_ms = 0 if tally.turns_at_s == math.inf else math.ceil(tally.turns_at_s * 1000)
    return (tally.key, 0, tally.latest, True, ends_ms)


def encode_push(
    told: Mapping[str, Sequence[Contribution]], changes: Sequence[Contribution] = ()
) -> tuple[list[Row], list[list[object]], list[tuple[int, int, int]]]:
    """Return rows, the parts of workers (worker -> what it is to have put into tracked counters) and corrections."""
    form = _Form()
    parts: list[list[object]] = [[worker, *map(form.place, parts)] for worker, parts in told.items()]
    return form.rows, parts, [form.place(change) for change in changes]


def read_rows(counters: Iterable[tuple[str, Window]], now_s: float) -> list[Row]:
    """Return the rows of counters that are only looked at."""
    return [(key_of(name, window), window.span_s, window.slice_at(now_s), False, 0) for name, window in counters]


def complete_parts(parts: Iterable[Contribution], stands_in: Iterable[str]) -> list[Contribution]:
    """Return a worker's contributions, and nothing for each part that Redis has of it (`name@slice`) beyond them."""
    complete = list(parts)
    known = {f"{key_of(part.counter, part.window)}@{part.slice}" for part in complete}
    return complete + [_parse_part(named) for named in stands_in if named not in known]


def _parse_part(named: str) -> Contribution:
    key, _, number = named.rpartition("@")
    return Contribution(key.rpartition("/")[0], window_of(key), int(number), 0)


class _Form:
    """Rows for those who keep no tally: a counter's row is about the newest slice that is told of it."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._places: dict[str, int] = {}

    def place(self, told: Contribution) -> tuple[int, int, int]:
        key = key_of(told.counter, told.window)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self.rows)
            self.rows.append(_row_at(key, told.window, told.slice))
        elif told.window.kind != "sliding" and told.slice > self.rows[place][2]:
            self.rows[place] = _row_at(key, told.window, told.slice)
        return place, told.slice, told.amount


def _row_at(key: str, window: Window, number: int) -> Row:
    if window.kind == "sliding":
        return (key, window.span_s, 0, True, 0)
    ends_at_s = window.ends_at(number)
    return (key, 0, number, True, 0 if ends_at_s is None else math.ceil(ends_at_s * 1000))


def _wait_s(check: Check, tally: Tally, wait_ms: int, now_s: float) -> float | None:
    """Return how long a refused amount must wait: Redis says it of sliding windows, the calendar of the others."""
    if check.window.kind == "sliding":
        return None if wait_ms < 0 else wait_ms / 1000
    if tally.turns_at_s == math.inf or check.amount > (check.limit or 0):
        return None
    return max(0.0, tally.turns_at_s - now_s)
