"""What callers may spend and how fast they may call: the rules as the data plane reads them, frozen.

A rule applies to the calls that fit its filters, and counts them together or apart: per tenant, user, key or route.
What it counts for one of those is a counter of its own, named by the rule and that subject.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Literal

import msgspec

from usage.counters.base import Check
from usage.records import Charge
from usage.windows import HELD, Window

Per = Literal["", "tenant", "user", "key", "route"]
Measure = Literal["requests", "tokens", "parallel_calls", "parallel_streams"]
Counted = Measure | Literal["budget", "soft_budget"]
Told = Literal["requests", "tokens", "budget"]
TOLD: tuple[Told, ...] = ("requests", "tokens", "budget")
CALLERS_REMEMBERED_MAX = 50_000
# Places among what a call takes: one request, its tokens, its place among the calls under way, its nano-dollars.
_TAKEN: dict[Counted, int] = {
    "requests": 0,
    "tokens": 1,
    "parallel_calls": 2,
    "parallel_streams": 2,
    "budget": 3,
    "soft_budget": 3,
}


class Subject(msgspec.Struct, frozen=True):
    """Whose call it is, as rules see it; `route` is the configured name, so that there are only so many."""

    tenant_id: int
    user_id: int | None
    key_id: int
    route: str
    time_zone: str


class Scope(msgspec.Struct, frozen=True):
    """Which calls a rule is about, and how it tells them apart. None and "" leave a filter open."""

    tenant_id: int | None = None
    user_id: int | None = None
    key_id: int | None = None
    route: str = ""
    per: Per = ""

    def subject_of(self, subject: Subject) -> str | None:
        """Return the name under which a call is counted, "" for all together; None where the rule isn't about it."""
        if self.tenant_id is not None and self.tenant_id != subject.tenant_id:
            return None
        if self.user_id is not None and self.user_id != subject.user_id:
            return None
        if self.key_id is not None and self.key_id != subject.key_id:
            return None
        if self.route and self.route != subject.route:
            return None
        return _name_subject(self.per, subject)


class Allowance(msgspec.Struct, frozen=True):
    """Another limit for one subject of a budget, until a moment in seconds since the epoch or for good (None)."""

    limit_nanos: int
    until_s: float | None


class BudgetRule(msgspec.Struct, frozen=True):
    """An amount of nano-dollars a window. A soft budget counts and warns, a hard one stops.

    `generation` is part of the counters' names: a reset begins new ones. A window of `time_zone` "" follows the
    tenant's.
    """

    id: int
    name: str
    scope: Scope
    window: Window
    limit_nanos: int
    hard: bool = True
    generation: int = 0
    allowances: Mapping[str, Allowance] = {}


class LimitRule(msgspec.Struct, frozen=True):
    """So many requests or tokens a window, or so many calls or streams at once."""

    id: int
    name: str
    scope: Scope
    measure: Measure
    window: Window
    value: int


class ProviderLimit(msgspec.Struct, frozen=True):
    """So many calls at once to one provider, whoever calls."""

    id: int
    name: str
    provider: str
    value: int

    @property
    def counter(self) -> str:
        """Return the name of its counter."""
        return f"l{self.id}..p"


class LimitLine(msgspec.Struct, frozen=True):
    """A limit as it holds for one caller."""

    rule: LimitRule
    counter: str


class BudgetLine(msgspec.Struct, frozen=True):
    """A budget as it holds for one caller: the counter, the window in the caller's time zone, what may be spent."""

    rule: BudgetRule
    counter: str
    window: Window
    limit_nanos: int


class Slices(msgspec.Struct, frozen=True, gc=False):
    """In which slices of their windows the rules count a call, the budgets' charges there, and when each slice ends.

    From an end, in seconds since the epoch, the slice no longer counts; None for never.
    """

    numbers: tuple[int, ...] = ()
    charges: tuple[Charge, ...] = ()
    ends_at_s: tuple[float | None, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """What has to be reserved for a call: the rules, limits first, and a check of one of what each counts.

    `money` is the budgets' part of the checks. `told` has the places among them of the rules that callers hear of, by
    what they count: of what counts the same, the tightest. `soft` has those of soft budgets. `limits` and `names` are
    the rules' own; no limit is 0 there.
    """

    lines: tuple[LimitLine | BudgetLine, ...]
    budgets: tuple[BudgetLine, ...]
    checks: tuple[Check, ...]
    money: tuple[Check, ...]
    told: tuple[tuple[Told, tuple[int, ...]], ...]
    soft: tuple[int, ...]
    limits: tuple[int, ...]
    names: tuple[str, ...]
    _pick: Callable[[tuple[int, ...]], Sequence[int]]
    _known: dict[tuple[int, ...], Slices] = msgspec.field(default_factory=dict)

    def amounts(self, tokens: int, nanos: int, at_once: int) -> Sequence[int]:
        """Return what a call takes of each rule: tokens, nano-dollars, places among the calls under way."""
        return self._pick((1, tokens, at_once, nanos))

    def slices(self, numbers: tuple[int, ...]) -> Slices:
        """Return what goes with the slices of these numbers; only the latest is remembered, few calls want another."""
        known = self._known.get(numbers)
        if known is None:
            self._known.clear()
            known = self._known[numbers] = self._slices(numbers)
        return known

    def _slices(self, numbers: tuple[int, ...]) -> Slices:
        own = numbers[len(numbers) - len(self.budgets) :]
        charges = tuple([Charge(line.counter, number) for line, number in zip(self.budgets, own, strict=True)])
        ends = [check.window.ends_at(number) for check, number in zip(self.checks, numbers, strict=True)]
        return Slices(numbers, charges, tuple(ends))


class CallerPolicy(msgspec.Struct, frozen=True):
    """Every rule that holds for one caller on one route, until `valid_until_s` (None: while the snapshot lives)."""

    limits: tuple[LimitLine, ...] = ()
    budgets: tuple[BudgetLine, ...] = ()
    valid_until_s: float | None = None
    _plans: dict[bool, Plan] = msgspec.field(default_factory=dict)

    @property
    def hard(self) -> bool:
        """Tell whether money must be reserved before a call."""
        return any(line.rule.hard for line in self.budgets)

    def plan(self, *, streamed: bool) -> Plan:
        """Return what has to be reserved for a call; it is worked out once."""
        known = self._plans.get(streamed)
        if known is None:
            limits = [line for line in self.limits if streamed or line.rule.measure != "parallel_streams"]
            known = self._plans[streamed] = _plan((*limits, *self.budgets), self.budgets)
        return known


NO_RULES = CallerPolicy()


@dataclass(frozen=True, slots=True)
class Policy:
    """Every rule. What holds for a caller is worked out once and remembered; a new snapshot brings a new object."""

    budgets: tuple[BudgetRule, ...] = ()
    limits: tuple[LimitRule, ...] = ()
    providers: Mapping[str, tuple[ProviderLimit, ...]] = field(default_factory=dict)
    _known: dict[tuple[int, str], CallerPolicy] = field(default_factory=dict, compare=False, repr=False)

    def of(self, subject: Callable[[], Subject], *, key_id: int, route: str, now_s: float) -> CallerPolicy:
        """Return the rules for a key on a route; `subject` is only asked where they are not known yet."""
        if not self.budgets and not self.limits:
            return NO_RULES
        known = self._known.get((key_id, route))
        if known is not None and (known.valid_until_s is None or now_s < known.valid_until_s):
            return known
        if len(self._known) >= CALLERS_REMEMBERED_MAX:
            self._known.clear()
        found = self._known[key_id, route] = self._work_out(subject(), now_s)
        return found

    def _work_out(self, subject: Subject, now_s: float) -> CallerPolicy:
        limits = [
            LimitLine(rule, f"l{rule.id}.{named}")
            for rule in self.limits
            if (named := rule.scope.subject_of(subject)) is not None
        ]
        budgets, ends = [], []
        for rule in self.budgets:
            named = rule.scope.subject_of(subject)
            if named is None:
                continue
            allowance = rule.allowances.get(named)
            if allowance is not None and allowance.until_s is not None:
                ends.append(allowance.until_s)
            budgets.append(_budget_line(rule, named, allowance, subject, now_s))
        return CallerPolicy(tuple(limits), tuple(budgets), min((end for end in ends if end > now_s), default=None))


def counter_of_budget(budget_id: int, generation: int, subject: str) -> str:
    """Return the name of a budget's counter for one subject."""
    return f"b{budget_id}.{generation}.{subject}"


def window_in(window: Window, time_zone: str) -> Window:
    """Return a window with its time zone filled in where it follows the tenant's."""
    return window if window.time_zone else msgspec.structs.replace(window, time_zone=time_zone)


def limit_window(measure: Measure, span_s: float) -> Window:
    """Return the window that a limit counts in."""
    return HELD if measure.startswith("parallel") else Window("sliding", span_s)


def _budget_line(
    rule: BudgetRule, named: str, allowance: Allowance | None, subject: Subject, now_s: float
) -> BudgetLine:
    limit_nanos = rule.limit_nanos
    if allowance is not None and (allowance.until_s is None or now_s < allowance.until_s):
        limit_nanos = allowance.limit_nanos
    counter = counter_of_budget(rule.id, rule.generation, named)
    return BudgetLine(rule, counter, window_in(rule.window, subject.time_zone), limit_nanos)


def _name_subject(per: Per, subject: Subject) -> str | None:
    if per == "":
        return ""
    if per == "route":
        return f"r{subject.route}"
    number = {"tenant": subject.tenant_id, "user": subject.user_id, "key": subject.key_id}[per]
    return None if number is None else f"{per[0]}{number}"


def _plan(lines: tuple[LimitLine | BudgetLine, ...], budgets: tuple[BudgetLine, ...]) -> Plan:
    counted = tuple([_counted_by(line) for line in lines])
    checks = tuple([_check_of(line) for line in lines])
    by_kind = {what: tuple([place for place, one in enumerate(counted) if one == what]) for what in counted}
    return Plan(
        lines=lines,
        budgets=budgets,
        checks=checks,
        money=checks[len(checks) - len(budgets) :],
        told=tuple([(what, by_kind[what]) for what in TOLD if what in by_kind]),
        soft=by_kind.get("soft_budget", ()),
        limits=tuple([check.limit or 0 for check in checks]),
        names=tuple([line.rule.name for line in lines]),
        _pick=_picker([_TAKEN[what] for what in counted]),
    )


def _picker(places: Sequence[int]) -> Callable[[tuple[int, ...]], Sequence[int]]:
    """Return what takes the numbers at some places out of others, one after another."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda numbers: [numbers[place] for place in places]


def _counted_by(line: LimitLine | BudgetLine) -> Counted:
    if isinstance(line, LimitLine):
        return line.rule.measure
    return "budget" if line.rule.hard else "soft_budget"


def _check_of(line: LimitLine | BudgetLine) -> Check:
    if isinstance(line, LimitLine):
        return Check(line.counter, line.rule.window, 1, line.rule.value)
    hard = line.rule.hard
    return Check(line.counter, line.window, 1, line.limit_nanos if hard else None, strict=hard, tracked=True)
