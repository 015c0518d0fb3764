"""Alerts on budgets: notices once per cluster what is past its percentage, and hands it to the channels.

An alert stands while its counter is past the percentage, and while it stands the database refuses another one like
it. When the counter falls below (a sliding window moved on, the limit was raised, the budget was reset) or a new
day, week or month begins, the alert ends. The same percentage of the same period alerts again once that has happened
and the longest cooldown is over.

Besides, each channel has its own cooldown for each counter: within it, only a higher percentage makes a message. What
is held back is written down, and the next message names it. When several percentages are passed at once, the highest
one makes the message.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Max

from monitoring.alert_delivery import deliver_due
from monitoring.models import Alert, AlertChannel, AlertDelivery
from usage.rules.crossings import Crossing, crossed

__all__ = ["run_once"]

NEW_MAX = 500  # a pass; the rest is found by the next one
KEPT_FOR = timedelta(days=400)
_USUAL_COOLDOWN = timedelta(minutes=60)
_AT_ONCE = 500
_Key = tuple[int, str, int, int]
_Status = AlertDelivery.Status


def run_once(now: datetime) -> int:
    """Note which budgets went past a percentage and send what is due; return how many messages were sent.

    Any number of processes may do so at once. Raises django.db.Error where the database can't be asked now.
    """
    _note_crossings(now)
    return deliver_due(now)


def _note_crossings(now: datetime) -> None:
    # What stands is read first: an alert that another process adds meanwhile is then not taken for one that is over.
    standing = _read_standing()
    resting = _read_resting(now)
    found = {_key_of(crossing): crossing for crossing in crossed(now)}
    _end([alert_id for key, alert_id in standing.items() if key not in found], now)
    new = (crossing for key, crossing in found.items() if key not in standing and key not in resting)
    _begin(list(islice(new, NEW_MAX)), now)
    Alert.objects.filter(ended_at__lt=now - KEPT_FOR).delete()


def _key_of(crossing: Crossing) -> _Key:
    return crossing.budget_id, crossing.counter, crossing.period, crossing.percent


def _read_standing() -> dict[_Key, str]:
    """Return the alerts that have not ended."""
    rows = Alert.objects.filter(ended_at=None).order_by()
    found = rows.values_list("budget_id", "counter", "period", "percent", "alert_id")
    return {(budget_id, counter, period, percent): pk for budget_id, counter, period, percent, pk in found}


def _read_resting(now: datetime) -> set[_Key]:
    """Return what alerted so lately that it doesn't alert again yet, whether it still stands or not."""
    rows = Alert.objects.filter(rearms_at__gt=now).order_by()
    return set(rows.values_list("budget_id", "counter", "period", "percent"))


def _end(alert_ids: list[str], now: datetime) -> None:
    for start in range(0, len(alert_ids), _AT_ONCE):
        part = alert_ids[start : start + _AT_ONCE]
        Alert.objects.filter(alert_id__in=part, ended_at=None).update(ended_at=now)


@transaction.atomic
def _begin(crossings: list[Crossing], now: datetime) -> None:
    """Add alerts and their deliveries in one transaction, without those that another process has added meanwhile."""
    if not crossings:
        return
    channels = list(AlertChannel.objects.filter(enabled=True).order_by("pk"))
    cooldown = max((_cooldown_of(channel) for channel in channels), default=_USUAL_COOLDOWN)
    # In one order everywhere, so that two processes wait for each other instead of locking each other out.
    alerts = [_alert_of(crossing, now, now + cooldown) for crossing in sorted(crossings, key=_key_of)]
    Alert.objects.bulk_create(alerts, ignore_conflicts=True)
    added = set(Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).values_list("pk", flat=True))
    mine = sorted((alert for alert in alerts if alert.pk in added), key=lambda alert: -alert.percent)
    AlertDelivery.objects.bulk_create(_deliveries_of(mine, channels, now))


def _alert_of(crossing: Crossing, now: datetime, rearms_at: datetime) -> Alert:
    return Alert(
        at=now,
        budget_id=crossing.budget_id,
        budget=crossing.budget,
        hard=crossing.hard,
        counter=crossing.counter,
        period=crossing.period,
        percent=crossing.percent,
        subject=crossing.subject_name,
        tenant_id=crossing.tenant_id,
        spent_nanos=crossing.spent_nanos,
        limit_nanos=crossing.limit_nanos,
        resets_at=crossing.resets_at,
        rearms_at=rearms_at,
    )


def _deliveries_of(alerts: list[Alert], channels: list[AlertChannel], now: datetime) -> Iterator[AlertDelivery]:
    """Yield a delivery for every alert and channel that wants it, the highest percentages first."""
    for channel in channels:
        wanted = [alert for alert in alerts if channel.tenant_id in (None, alert.tenant_id)]
        told = _read_told(channel, {alert.counter for alert in wanted}, now - _cooldown_of(channel))
        for alert in wanted:
            before = told.get(alert.counter)
            if before is None or alert.percent > before:
                told[alert.counter] = alert.percent
                yield AlertDelivery(alert=alert, channel=channel, next_try_at=now)
            else:
                why = f"Within the cooldown of a message at {before} %."
                yield AlertDelivery(alert=alert, channel=channel, status=_Status.SUPPRESSED, note=why)


def _read_told(channel: AlertChannel, counters: Iterable[str], since: datetime) -> dict[str, int]:
    """Return the highest percentage that a channel was told of each counter, or soon will be, since a moment."""
    rows = AlertDelivery.objects.filter(
        status__in=(_Status.SENT, _Status.PENDING),
        channel=channel,
        alert__counter__in=counters,
        alert__at__gt=since,
    )
    return dict(
        rows.order_by()
        .values("alert__counter")
        .annotate(top=Max("alert__percent"))
        .values_list("alert__counter", "top")
    )


def _cooldown_of(channel: AlertChannel) -> timedelta:
    return timedelta(minutes=channel.cooldown_minutes)
