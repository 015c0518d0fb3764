"""The admin's pages of alerts: a secret is shown once, a test message goes at once, what happened is only looked at."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse

from monitoring.models import AlertChannel
from tenants.models import User
from tests.monitoring.receivers import Webhook
from tests.monitoring.spending import SECRET, add_delivery, add_mail, add_webhook

pytestmark = pytest.mark.django_db
ADD = "admin:monitoring_alertchannel_add"
CHANGE = "admin:monitoring_alertchannel_change"
TRIAL = "admin:monitoring_alertchannel_trial"
MAIL = {"name": "m", "enabled": "on", "kind": "email", "cooldown_minutes": 60, "addresses": "a@example.org"}
HOOK = {"name": "h", "enabled": "on", "kind": "webhook", "cooldown_minutes": 60, "url": "https://example.org/x"}


class TestChannel:
    def test_mail_is_one_address_a_line(self, admin: Client) -> None:
        answer = admin.post(reverse(ADD), MAIL | {"addresses": "a@example.org\n\nb@example.org"})
        assert answer.status_code == 302
        made = AlertChannel.objects.get()
        assert (made.addresses, made.sealed_secret) == (["a@example.org", "b@example.org"], "")

    def test_a_new_webhook_shows_its_secret_once(self, admin: Client) -> None:
        answer = admin.post(reverse(ADD), HOOK)
        channel = AlertChannel.objects.get()
        found = re.search(r'value="(whsec_[^"]+)"', answer.content.decode())
        assert found
        assert found[1] == channel.secret()
        assert "no-store" in answer["Cache-Control"]
        for url in (reverse(CHANGE, args=[channel.pk]), reverse("admin:monitoring_alertchannel_changelist")):
            page = admin.get(url).content.decode()
            assert channel.secret() not in page
            assert channel.sealed_secret not in page

    def test_a_secret_can_be_given_kept_and_replaced(self, admin: Client) -> None:
        assert admin.post(reverse(ADD), HOOK | {"secret": SECRET}).status_code == 302
        channel = AlertChannel.objects.get()
        url = reverse(CHANGE, args=[channel.pk])
        assert admin.post(url, HOOK | {"name": "other"}).status_code == 302
        channel.refresh_from_db()
        assert (channel.name, channel.secret()) == ("other", SECRET)
        assert admin.post(url, HOOK | {"new_secret": "on"}).status_code == 200
        channel.refresh_from_db()
        assert channel.secret() != SECRET

    def test_it_is_either_given_or_made(self, admin: Client) -> None:
        answer = admin.post(reverse(ADD), HOOK | {"secret": SECRET, "new_secret": "on"})
        assert "Either enter a secret or have one made." in answer.content.decode()
        assert not AlertChannel.objects.exists()

    def test_the_list_shows_no_secret_of_a_url(self, admin: Client) -> None:
        add_webhook("https://user:pw@hooks.example.org/services/T0/secret-path")
        add_mail()
        page = admin.get(reverse("admin:monitoring_alertchannel_changelist")).content.decode()
        assert "hooks.example.org" in page
        assert "secret-path" not in page
        assert "user:pw" not in page
        assert "ada@example.org, bob@example.org" in page


class TestTrial:
    def test_mail_goes_at_once(self, admin: Client) -> None:
        channel = add_mail()
        assert "Send a test message" in admin.get(reverse(CHANGE, args=[channel.pk])).content.decode()
        page = admin.post(reverse(TRIAL, args=[channel.pk])).content.decode()
        assert 'data-ok="true"' in page
        assert mail.outbox[0].subject.startswith("Test:")

    def test_a_webhook_goes_at_once(self, admin: Client, webhook: Webhook) -> None:
        page = admin.post(reverse(TRIAL, args=[add_webhook(webhook.url).pk])).content.decode()
        assert 'data-ok="true"' in page
        assert b'"type":"test"' in webhook.received[0][1]

    def test_why_it_did_not_go_is_said(self, admin: Client, webhook: Webhook) -> None:
        webhook.status = 410
        page = admin.post(reverse(TRIAL, args=[add_webhook(webhook.url).pk])).content.decode()
        assert 'data-ok="false"' in page
        assert "It answered with status 410." in page

    def test_only_for_those_who_may_change_it(self, webhook: Webhook) -> None:
        url, client = reverse(TRIAL, args=[add_webhook(webhook.url).pk]), Client()
        person = User.objects.create_user("p", "p@example.org", "pw", is_staff=True)
        person.user_permissions.set(Permission.objects.filter(codename="view_alertchannel"))
        client.force_login(person)
        assert client.get(url).status_code == 405
        assert client.post(url).status_code == 403
        assert webhook.received == []


def test_what_happened_is_only_looked_at(admin: Client) -> None:
    delivery = add_delivery(add_mail(), ended_at=None)
    for model, pk in (("alert", delivery.alert_id), ("alertdelivery", delivery.pk)):
        listed = admin.get(reverse(f"admin:monitoring_{model}_changelist"))
        assert "team" in listed.content.decode()
        shown = admin.get(reverse(f"admin:monitoring_{model}_change", args=[pk]))
        assert shown.status_code == 200
        assert admin.post(reverse(f"admin:monitoring_{model}_change", args=[pk]), {}).status_code == 403
        assert admin.get(reverse(f"admin:monitoring_{model}_add")).status_code == 403
        assert admin.post(reverse(f"admin:monitoring_{model}_delete", args=[pk]), {"post": "yes"}).status_code == 403
    assert "$8.1 of $10" in admin.get(reverse("admin:monitoring_alert_changelist")).content.decode()
    assert "mail" in admin.get(reverse("admin:monitoring_alert_change", args=[delivery.alert_id])).content.decode()
    assert admin.get(reverse("admin:monitoring_alert_changelist"), {"q": "team"}).status_code == 200
    assert admin.get(reverse("admin:monitoring_alert_changelist"), {"ended_at__isempty": "1"}).status_code == 200
