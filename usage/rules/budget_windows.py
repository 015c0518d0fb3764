"""Over which span a budget counts, as its row says it."""

from usage.models.rules import Budget
from usage.windows import Kind, Window

_CALENDAR: dict[str, Kind] = {
    Budget.Period.DAY: "day",
    Budget.Period.WEEK: "week",
    Budget.Period.MONTH: "month",
}
_UNIT_S = {Budget.Period.ROLLING_HOURS.value: 3_600.0, Budget.Period.ROLLING_DAYS.value: 86_400.0}


def window_of(budget: Budget) -> Window:
    """Return the window of a budget; its time zone is "" where each caller's tenant decides.

    Calls of several tenants in one counter need one calendar: that of UTC, unless the budget names another.
    """
    if budget.period in _UNIT_S:
        return Window("sliding", (budget.length or 1) * _UNIT_S[budget.period])
    if budget.period == Budget.Period.LIFETIME:
        return Window("lifetime")
    return Window(_CALENDAR[budget.period], time_zone=budget.time_zone or ("" if of_one_tenant(budget) else "UTC"))


def of_one_tenant(budget: Budget) -> bool:
    """Tell whether every counter of a budget counts the calls of one tenant alone."""
    return bool(budget.tenant_id or budget.key_id) or budget.per in ("tenant", "key")


def describe_window(budget: Budget) -> str:
    """Say over which span a budget counts: `the last 24 hours`, `each month in UTC`."""
    if budget.period == Budget.Period.LIFETIME:
        return "its lifetime"
    if budget.period in _UNIT_S:
        unit = "hour" if budget.period == Budget.Period.ROLLING_HOURS else "day"
        return f"the last {unit}" if budget.length == 1 else f"the last {budget.length} {unit}s"
    return f"each {budget.period} in {window_of(budget).time_zone or 'the time zone of the tenant'}"
