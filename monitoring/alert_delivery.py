"""Brings alerts to their channels: each once, tried again with growing pauses, whoever else delivers beside.

A try is claimed by one conditional update that counts it and puts the next one off for longer than a try can take.
Of two processes only one makes that update; and if it dies while sending, the next try comes by itself. It may have
died after the message had gone and before that was written down: then the message goes twice, with the same event id.
"""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F, Max, QuerySet

from monitoring.alert_messages import HeldBack, compose
from monitoring.alert_senders import NotSent, send
from monitoring.models import AlertDelivery

__all__ = ["PAUSES", "TRIES_MAX", "deliver_due"]

TRIES_MAX = 5
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))  # after each try; the last one repeats
_CLAIMED_FOR = timedelta(minutes=5)
_PASS_S = 20.0
_HELD_BACK_SHOWN_MAX = 20
_Status = AlertDelivery.Status

logger = logging.getLogger(__name__)


def deliver_due(now: datetime) -> int:
    """Send what is due, for a while at most; return how many messages were sent.

    A channel that can't be reached is left alone for a minute, so that it doesn't keep the others waiting.
    """
    _drop_disabled()
    sent, started_at_s = 0, time.monotonic()
    while (passed_s := time.monotonic() - started_at_s) < _PASS_S:
        moment = now + timedelta(seconds=passed_s)
        delivery = _due(moment).select_related("alert", "channel").order_by("next_try_at", "pk").first()
        if delivery is None:
            break
        if _claim(delivery, moment):
            sent += _try(delivery, moment)
    return sent


def _drop_disabled() -> None:
    waiting = AlertDelivery.objects.filter(status=_Status.PENDING, channel__enabled=False)
    waiting.update(status=_Status.SUPPRESSED, note="The channel was turned off.")


def _due(moment: datetime) -> QuerySet[AlertDelivery]:
    return AlertDelivery.objects.filter(status=_Status.PENDING, next_try_at__lte=moment)


def _claim(delivery: AlertDelivery, moment: datetime) -> bool:
    """Take the next try of a delivery; False where another process has it."""
    delivery.tries += 1
    return bool(
        _due(moment)
        .filter(pk=delivery.pk, tries=delivery.tries - 1)
        .update(tries=F("tries") + 1, next_try_at=moment + _CLAIMED_FOR)
    )


def _try(delivery: AlertDelivery, moment: datetime) -> bool:
    mine = AlertDelivery.objects.filter(pk=delivery.pk)
    if delivery.tries > TRIES_MAX:  # whoever made the last try did not live to write down how it went
        mine.update(status=_Status.FAILED, note="Given up: the last try was interrupted.")
        return False
    try:
        send(delivery.channel, compose(delivery.alert, _held_back(delivery)), moment)
    except NotSent as refused:
        _note_failure(delivery, str(refused), moment)
        return False
    mine.update(status=_Status.SENT, sent_at=moment, note="")
    return True


def _note_failure(delivery: AlertDelivery, why: str, moment: datetime) -> None:
    """Write down why a try failed; after the last one give up. The channel's other messages wait a little."""
    over, pause = delivery.tries >= TRIES_MAX, PAUSES[min(delivery.tries, len(PAUSES)) - 1]
    logger.warning(
        "alert not delivered",
        extra={"alert": delivery.alert_id, "channel": delivery.channel.name, "reason": why, "given_up": over},
    )
    mine = AlertDelivery.objects.filter(pk=delivery.pk, status=_Status.PENDING, tries=delivery.tries)
    mine.update(status=_Status.FAILED if over else _Status.PENDING, note=why, next_try_at=moment + pause)
    others = AlertDelivery.objects.filter(status=_Status.PENDING, channel=delivery.channel)
    others.filter(next_try_at__lt=moment + PAUSES[0]).update(next_try_at=moment + PAUSES[0])


def _held_back(delivery: AlertDelivery) -> Iterator[HeldBack]:
    """Yield what was held back about the same counter since the last message to the channel, newest first."""
    alert = delivery.alert
    about_it = AlertDelivery.objects.filter(
        channel=delivery.channel, alert__budget_id=alert.budget_id, alert__counter=alert.counter
    )
    last_sent_at = about_it.filter(status=_Status.SENT).aggregate(at=Max("sent_at"))["at"]
    held = about_it.filter(status=_Status.SUPPRESSED)
    if last_sent_at is not None:
        held = held.filter(alert__at__gt=last_sent_at)
    newest = held.order_by("-alert__at", "-alert__percent").values_list("alert__percent", "alert__at")
    yield from (HeldBack(percent, at) for percent, at in newest[:_HELD_BACK_SHOWN_MAX])
