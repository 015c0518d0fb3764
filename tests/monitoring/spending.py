"""Budgets, channels and money spent, as tests of alerts need them."""

from datetime import UTC, datetime
from typing import Any

from monitoring.models import Alert, AlertChannel, AlertDelivery
from usage.models import Budget, BudgetBalance
from usage.rules.budget_windows import window_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
USD = 10**9
SECRET = "whsec_of-the-tests-alone"


def add_budget(name: str = "team", **fields: Any) -> Budget:
    """Return a budget of ten dollars in its lifetime, or what the fields say."""
    return Budget.objects.create(name=name, **({"limit_nanos": 10 * USD, "period": "lifetime"} | fields))


def spend(
    budget: Budget, usd: float, *, subject: str = "", at: datetime = NOW, zone: str = "UTC", worker: str = "w1"
) -> None:
    """Let a balance hold so many dollars more at a moment."""
    window = window_of(budget)
    assert window.time_zone in {"", "UTC"} or zone == "UTC"
    number = type(window)(window.kind, window.span_s, window.time_zone or zone).slice_at(at.timestamp())
    row, _ = BudgetBalance.objects.get_or_create(
        budget_id=budget.pk, counter=f"b{budget.pk}.{budget.generation}.{subject}", slice=number, worker=worker
    )
    row.posted_nanos += round(usd * USD)
    row.posts += 1
    row.save()


def add_webhook(url: str = "http://127.0.0.1:9/", name: str = "hook", **fields: Any) -> AlertChannel:
    """Return a webhook."""
    channel = AlertChannel(name=name, kind="webhook", url=url, **fields)
    channel.set_secret(SECRET)
    channel.save()
    return channel


def add_mail(name: str = "mail", **fields: Any) -> AlertChannel:
    """Return a channel to two mailboxes."""
    return AlertChannel.objects.create(name=name, **({"addresses": ["ada@example.org", "bob@example.org"]} | fields))


def add_delivery(channel: AlertChannel, *, at: datetime = NOW, **fields: Any) -> AlertDelivery:
    """Return an alert that waits to be sent to a channel."""
    usual = {
        "at": at,
        "budget_id": 1,
        "budget": "team",
        "hard": True,
        "counter": "b1.0.",
        "period": 0,
        "percent": 80,
        "subject": "all together",
        "spent_nanos": 8_100_000_000,
        "limit_nanos": 10 * USD,
        "rearms_at": at,
        "ended_at": at,
    }
    alert = Alert.objects.create(**(usual | fields))
    return AlertDelivery.objects.create(alert=alert, channel=channel, next_try_at=at)


def states() -> list[tuple[int, str]]:
    """Return the percentages and states of all deliveries in the order in which they were made."""
    return list(AlertDelivery.objects.order_by("pk").values_list("alert__percent", "status"))
