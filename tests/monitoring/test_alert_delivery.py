"""Deliveries: tried again with growing pauses, claimed by one, given up in the end, and never in each other's way."""

from datetime import timedelta

import pytest

from monitoring import alert_delivery
from monitoring.alert_delivery import deliver_due
from monitoring.alert_messages import Message
from monitoring.models import AlertChannel, AlertDelivery
from tests.monitoring.receivers import Webhook
from tests.monitoring.spending import NOW, add_delivery, add_mail, add_webhook, states

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def test_a_message_is_sent_once(webhook: Webhook) -> None:
    delivery = add_delivery(add_webhook(webhook.url))
    assert [deliver_due(NOW), deliver_due(NOW + MINUTE)] == [1, 0]
    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries, delivery.note) == ("sent", 1, "")
    assert delivery.sent_at is not None
    assert len(webhook.received) == 1


def test_a_failure_is_tried_again_after_growing_pauses(webhook: Webhook) -> None:
    webhook.status = 500
    add_delivery(add_webhook(webhook.url))
    moment = NOW
    for tries, minutes in enumerate((1, 5, 30, 30), 1):
        deliver_due(moment)
        assert len(webhook.received) == tries
        deliver_due(moment + minutes * MINUTE - SECOND)
        assert len(webhook.received) == tries, "too early"
        moment += minutes * MINUTE + 2 * SECOND
    assert states() == [(80, "pending")]
    deliver_due(moment)
    last = AlertDelivery.objects.get()
    assert (last.status, last.tries, last.note) == ("failed", 5, "It answered with status 500.")
    deliver_due(moment + timedelta(days=1))
    assert len(webhook.received) == 5
    assert len({headers["x-gateway-event-id"] for headers, _ in webhook.received}) == 1


def test_what_works_again_is_sent(webhook: Webhook) -> None:
    webhook.status = 503
    add_delivery(add_webhook(webhook.url))
    deliver_due(NOW)
    webhook.status = 200
    assert deliver_due(NOW + 2 * MINUTE) == 1
    assert states() == [(80, "sent")]


def test_a_channel_that_fails_does_not_keep_the_others_waiting(webhook: Webhook) -> None:
    webhook.status = 500
    dead = add_webhook(webhook.url)
    for number in range(3):
        add_delivery(dead, counter=f"b1.0.t{number}")
    add_delivery(add_mail(), at=NOW + SECOND)
    assert deliver_due(NOW + SECOND) == 1
    assert len(webhook.received) == 1
    deliver_due(NOW + 2 * MINUTE)
    assert len(webhook.received) == 2


def test_whoever_comes_second_leaves_it(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    add_delivery(add_webhook(webhook.url))
    sent = []

    def send_while_another_looks(channel: AlertChannel, message: Message, at: object) -> None:
        sent.append(message.id)
        deliver_due(NOW + MINUTE)

    monkeypatch.setattr(alert_delivery, "send", send_while_another_looks)
    assert deliver_due(NOW) == 1
    assert len(sent) == 1


def test_a_claim_that_was_lost_is_left(webhook: Webhook) -> None:
    delivery = add_delivery(add_webhook(webhook.url))
    AlertDelivery.objects.filter(pk=delivery.pk).update(tries=1)
    assert not alert_delivery._claim(delivery, NOW)
    assert alert_delivery._claim(AlertDelivery.objects.get(), NOW)


class Killed(BaseException):
    """The process is gone."""


def test_who_dies_while_sending_is_followed_by_another_try(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    add_delivery(add_webhook(webhook.url))

    def die(channel: AlertChannel, message: Message, at: object) -> None:
        raise Killed

    moment = NOW
    with monkeypatch.context() as dying:
        dying.setattr(alert_delivery, "send", die)
        for _ in range(4):
            with pytest.raises(Killed):
                deliver_due(moment)
            assert deliver_due(moment + MINUTE) == 0, "somebody may still be sending it"
            moment += 6 * MINUTE
    assert deliver_due(moment) == 1


def test_nobody_tries_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    add_delivery(add_webhook())
    AlertDelivery.objects.update(tries=5)
    deliver_due(NOW)
    assert AlertDelivery.objects.get().note == "Given up: the last try was interrupted."
    assert states() == [(80, "failed")]


def test_a_channel_that_is_off_gets_nothing(webhook: Webhook) -> None:
    add_delivery(add_webhook(webhook.url, enabled=False))
    assert deliver_due(NOW) == 0
    assert AlertDelivery.objects.get().note == "The channel was turned off."
    assert webhook.received == []


def test_a_pass_has_an_end(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_delivery, "_PASS_S", 0.0)
    add_delivery(add_webhook(webhook.url))
    assert deliver_due(NOW) == 0
