"""Which slices of a budget count now: one budget may follow the calendars of many tenants."""

from collections.abc import Collection

from tenants.models import Key, Tenant
from usage.models.rules import Budget
from usage.policy import window_in
from usage.rules.budget_windows import window_of
from usage.windows import Window


def slices_now(budget: Budget, now_s: float) -> tuple[int, int]:
    """Return the first and the last slice that count now, in any of the calendars that the budget follows."""
    window = window_of(budget)
    if window.kind == "sliding":
        newest = window.slice_at(now_s)
        return newest - window.slices + 1, newest
    zones = {window.time_zone} if window.time_zone else _zones_followed(budget)
    numbers = {window_in(window, zone).slice_at(now_s) for zone in zones}
    return min(numbers), max(numbers)


def windows_of(budget: Budget, subjects: Collection[str]) -> dict[str, Window]:
    """Return the window of each subject, in its own tenant's time zone where the budget follows that."""
    window = window_of(budget)
    if window.time_zone:
        return dict.fromkeys(subjects, window)
    tenant = sole_tenant(budget)
    if tenant is not None:
        return dict.fromkeys(subjects, window_in(window, tenant.time_zone))
    numbers = [int(subject[1:]) for subject in subjects]
    owners = Tenant.objects.filter(pk__in=numbers) if budget.per == "tenant" else Key.objects.filter(pk__in=numbers)
    field = "time_zone" if budget.per == "tenant" else "tenant__time_zone"
    zones = dict(owners.order_by().values_list("pk", field))
    return {subject: window_in(window, zones.get(int(subject[1:]), "UTC")) for subject in subjects}


def sole_tenant(budget: Budget) -> Tenant | None:
    """Return the tenant whose calls alone a budget is about; None where there may be several."""
    return budget.key.tenant if budget.key else budget.tenant


def _zones_followed(budget: Budget) -> set[str]:
    tenant = sole_tenant(budget)
    if tenant is not None:
        return {tenant.time_zone}
    return set(Tenant.objects.order_by().values_list("time_zone", flat=True).distinct()) or {"UTC"}
