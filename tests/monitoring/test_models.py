"""What the database itself refuses about alerts, and what a channel must be."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from monitoring.models import AlertChannel, AlertDelivery, new_signing_secret
from tests.monitoring.spending import NOW, SECRET, add_delivery, add_mail, add_webhook

pytestmark = pytest.mark.django_db


def test_an_alert_stands_once() -> None:
    channel = add_mail()
    add_delivery(channel, ended_at=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        add_delivery(channel, ended_at=None)
    add_delivery(channel, ended_at=NOW)
    add_delivery(channel, ended_at=None, period=1)


def test_a_delivery_is_one_a_channel() -> None:
    delivery = add_delivery(add_mail())
    with pytest.raises(IntegrityError), transaction.atomic():
        AlertDelivery.objects.create(alert=delivery.alert, channel=delivery.channel, next_try_at=NOW)


def test_a_secret_is_sealed() -> None:
    channel = AlertChannel.objects.get(pk=add_webhook().pk)
    assert channel.secret() == SECRET
    assert SECRET not in channel.sealed_secret
    assert new_signing_secret().startswith("whsec_")
    assert new_signing_secret() != new_signing_secret()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": "email"}, "addresses"),
        ({"kind": "email", "addresses": ["nobody"]}, "addresses"),
        ({"kind": "email", "addresses": "a@example.org"}, "addresses"),
        ({"kind": "email", "addresses": ["a@example.org"] * 51}, "addresses"),
        ({"kind": "email", "addresses": ["a@example.org"], "url": "http://x/"}, "url"),
        ({"kind": "webhook"}, "url"),
        ({"kind": "webhook", "url": "ftp://x/"}, "url"),
        ({"kind": "webhook", "url": "file:///etc/passwd"}, "url"),
        ({"kind": "webhook", "url": "http://x/\n"}, "url"),
        ({"kind": "webhook", "url": "http://x/", "addresses": ["a@example.org"]}, "addresses"),
        ({"kind": "email", "addresses": ["a@example.org"], "cooldown_minutes": 0}, "cooldown_minutes"),
    ],
)
def test_a_channel_leads_somewhere(fields: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        AlertChannel(name="c", **fields).full_clean()
    assert wrong in refused.value.message_dict


def test_channels_that_are_right() -> None:
    AlertChannel(name="c", addresses=["a@example.org"]).full_clean()
    AlertChannel(name="c", kind="webhook", url="http://10.0.0.7:8080/hook?token=x").full_clean()
