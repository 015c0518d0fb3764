"""Policy rows into rules: what operators wrote about budgets and limits, frozen. Read when a snapshot is compiled."""

from collections import defaultdict
from collections.abc import Mapping

from django.db.models import Q

from kernel import clock
from usage.models import Budget, BudgetAllowance, Limit
from usage.policy import Allowance, BudgetRule, LimitRule, Measure, Per, Policy, ProviderLimit, Scope, limit_window
from usage.rules.budget_windows import window_of

SPANS_S: Mapping[str, float] = {"": 0.0, "minute": 60.0, "hour": 3_600.0, "day": 86_400.0}
_MEASURES: Mapping[str, Measure] = {
    "requests": "requests",
    "tokens": "tokens",
    "parallel_calls": "parallel_calls",
    "parallel_streams": "parallel_streams",
}
_PERS: Mapping[str, Per] = {"": "", "tenant": "tenant", "user": "user", "key": "key", "route": "route"}


def read_policy() -> Policy:
    """Read every rule that is enabled, in three queries."""
    allowances = _read_allowances()
    limits = list(Limit.objects.filter(enabled=True).select_related("provider").order_by("pk"))
    return Policy(
        budgets=tuple(
            to_budget_rule(row, allowances.get(row.pk, {}))
            for row in Budget.objects.filter(enabled=True).order_by("pk")
        ),
        limits=tuple(to_limit_rule(row) for row in limits if row.provider is None),
        providers=_by_provider(limits),
    )


def to_budget_rule(row: Budget, allowances: Mapping[str, Allowance]) -> BudgetRule:
    """Return the rule of a budget with the other limits of some of its subjects."""
    return BudgetRule(
        id=row.pk,
        name=row.name,
        scope=scope_of(row),
        window=window_of(row),
        limit_nanos=row.limit_nanos,
        hard=row.hard,
        generation=row.generation,
        allowances=allowances,
    )


def to_limit_rule(row: Limit) -> LimitRule:
    """Return the rule of a limit that is not a provider's."""
    measure = _MEASURES[row.measure]
    window = limit_window(measure, SPANS_S[row.span])
    return LimitRule(id=row.pk, name=row.name, scope=scope_of(row), measure=measure, window=window, value=row.value)


def scope_of(row: Budget | Limit) -> Scope:
    """Return which calls a row is about."""
    return Scope(tenant_id=row.tenant_id, user_id=row.user_id, key_id=row.key_id, route=row.route, per=_PERS[row.per])


def _read_allowances() -> dict[int, dict[str, Allowance]]:
    """Read the overrides that still hold, by budget and subject."""
    found: dict[int, dict[str, Allowance]] = defaultdict(dict)
    holding = BudgetAllowance.objects.filter(Q(until=None) | Q(until__gt=clock.now()), budget__enabled=True).order_by()
    for budget_id, subject, limit_nanos, until in holding.values_list("budget_id", "subject", "limit_nanos", "until"):
        found[budget_id][subject] = Allowance(limit_nanos, until.timestamp() if until else None)
    return found


def _by_provider(limits: list[Limit]) -> dict[str, tuple[ProviderLimit, ...]]:
    found: dict[str, tuple[ProviderLimit, ...]] = {}
    for row in limits:
        if row.provider is not None:
            slug = row.provider.slug
            found[slug] = (*found.get(slug, ()), ProviderLimit(row.pk, row.name, slug, row.value))
    return found
