"""Alerts on budgets: once for what is past a percentage, again only when that is fair, quiet within the cooldown."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections

from monitoring import alerts
from monitoring.alerts import run_once
from monitoring.models import Alert, AlertDelivery
from tenants.models import Tenant
from tests.monitoring.receivers import Webhook
from tests.monitoring.spending import NOW, USD, add_budget, add_mail, add_webhook, spend, states
from usage.models import BudgetBalance

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.django_db
class TestOnce:
    def test_what_is_past_a_percentage_is_told_once(self) -> None:
        budget = add_budget()
        add_mail()
        assert run_once(NOW) == 0
        spend(budget, 5)
        assert [run_once(NOW), run_once(NOW + MINUTE), run_once(NOW + DAY)] == [1, 0, 0]
        alert = Alert.objects.get()
        assert (alert.budget, alert.subject, alert.percent, alert.at) == ("team", "all together", 50, NOW)
        assert (alert.spent_nanos, alert.limit_nanos, alert.ended_at) == (5 * USD, 10 * USD, None)
        assert [message.subject for message in mail.outbox] == ["team (all together): 50 % spent"]

    def test_of_several_at_once_the_highest_is_told(self) -> None:
        budget = add_budget()
        add_mail()
        spend(budget, 10)
        assert run_once(NOW) == 1
        assert states() == [(100, "sent"), (80, "suppressed"), (50, "suppressed")]
        assert "50 % at 2026-11-21" in str(mail.outbox[0].body)

    def test_without_channels_it_is_still_written_down(self) -> None:
        spend(add_budget(), 5)
        assert run_once(NOW) == 0
        assert Alert.objects.count() == 1

    def test_a_channel_of_a_tenant_hears_of_that_tenant_alone(self) -> None:
        acme, other = (Tenant.objects.create(slug=name, name=name) for name in ("acme", "other"))
        add_mail("acme", tenant=acme)
        add_mail("everything")
        budget = add_budget(per="tenant", alert_percents=[80])
        spend(budget, 9, subject=f"t{acme.pk}")
        spend(budget, 9, subject=f"t{other.pk}")
        spend(add_budget("everybody", alert_percents=[80]), 9)
        run_once(NOW)
        told = AlertDelivery.objects.values_list("channel__name", "alert__budget", "alert__subject")
        assert sorted(told) == [
            ("acme", "team", "acme"),
            ("everything", "everybody", "all together"),
            ("everything", "team", "acme"),
            ("everything", "team", "other"),
        ]

    def test_a_pass_takes_only_so_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(alerts, "NEW_MAX", 2)
        budget = add_budget(per="tenant", alert_percents=[50])
        for number in range(1, 6):
            spend(budget, 6, subject=f"t{number}")
        for expected in (2, 4, 5, 5):
            run_once(NOW)
            assert Alert.objects.count() == expected

    def test_what_is_long_over_is_forgotten(self) -> None:
        budget = add_budget(period="day")
        spend(budget, 5)
        run_once(NOW)
        run_once(NOW + DAY)
        assert Alert.objects.get().ended_at == NOW + DAY
        run_once(NOW + DAY + alerts.KEPT_FOR + MINUTE)
        assert not Alert.objects.exists()


@pytest.mark.django_db
class TestAgain:
    def test_a_new_day_begins_anew(self) -> None:
        budget = add_budget(period="day")
        add_mail()
        spend(budget, 5)
        run_once(NOW)
        spend(budget, 5, at=NOW + DAY)
        assert run_once(NOW + DAY) == 1
        assert list(Alert.objects.values_list("ended_at", flat=True).order_by("at")) == [NOW + DAY, None]

    def test_a_sliding_window_must_fall_below_first(self) -> None:
        budget = add_budget(period="rolling_hours", length=24, alert_percents=[50])
        add_mail()
        spend(budget, 6)
        assert run_once(NOW) == 1
        assert run_once(NOW + 5 * HOUR) == 0  # still past it, in another slice
        assert run_once(NOW + 25 * HOUR) == 0
        assert Alert.objects.get().ended_at == NOW + 25 * HOUR
        spend(budget, 6, at=NOW + 26 * HOUR)
        assert run_once(NOW + 26 * HOUR) == 1

    def test_and_the_cooldown_must_be_over(self) -> None:
        budget = add_budget(period="rolling_hours", length=1, alert_percents=[50])
        add_mail(cooldown_minutes=120)
        spend(budget, 6)
        run_once(NOW)
        run_once(NOW + 70 * MINUTE)  # below
        spend(budget, 6, at=NOW + 100 * MINUTE)
        assert run_once(NOW + 100 * MINUTE) == 0
        assert Alert.objects.count() == 1
        assert run_once(NOW + 120 * MINUTE) == 1

    def test_a_raised_limit_is_told_about_when_it_is_near(self) -> None:
        budget = add_budget(alert_percents=[80])
        add_mail()
        spend(budget, 9)
        run_once(NOW)
        budget.limit_nanos = 20 * USD
        budget.save()
        run_once(NOW + MINUTE)
        spend(budget, 8)
        assert run_once(NOW + 2 * MINUTE) == 0
        assert run_once(NOW + HOUR) == 1
        assert Alert.objects.filter(ended_at=None).get().limit_nanos == 20 * USD

    def test_a_reset_begins_anew(self) -> None:
        budget = add_budget(alert_percents=[80])
        spend(budget, 9)
        run_once(NOW)
        budget.generation += 1
        budget.save()
        run_once(NOW + MINUTE)
        assert Alert.objects.get().ended_at == NOW + MINUTE
        spend(budget, 9)
        run_once(NOW + 2 * MINUTE)
        assert Alert.objects.filter(ended_at=None).count() == 1

    def test_what_is_turned_off_is_over(self) -> None:
        budget = add_budget()
        spend(budget, 9)
        run_once(NOW)
        budget.enabled = False
        budget.save()
        run_once(NOW + MINUTE)
        assert not Alert.objects.filter(ended_at=None).exists()


@pytest.mark.django_db
class TestCooldown:
    def test_a_higher_percentage_is_told_within_it(self) -> None:
        budget = add_budget()
        add_mail()
        spend(budget, 5)
        run_once(NOW)
        spend(budget, 3)
        assert run_once(NOW + MINUTE) == 1
        assert states() == [(50, "sent"), (80, "sent")]

    def test_the_same_or_a_lower_one_is_held_back_and_named_by_the_next(self) -> None:
        budget = add_budget(period="day")
        add_mail()
        evening, morning = NOW + 11 * HOUR + 50 * MINUTE, NOW + 12 * HOUR + 10 * MINUTE
        spend(budget, 8, at=evening)
        run_once(evening)
        spend(budget, 5, at=morning)
        assert run_once(morning) == 0
        held = AlertDelivery.objects.get(status="suppressed", alert__at=morning)
        assert (held.alert.percent, held.note) == (50, "Within the cooldown of a message at 80 %.")
        spend(budget, 3, at=morning)
        assert run_once(morning + HOUR) == 1
        text = str(mail.outbox[-1].body)
        assert "50 % at 2026-11-22 00:10:00 UTC" in text
        assert "2026-11-21" not in text

    def test_it_is_each_subjects_own(self) -> None:
        budget = add_budget(per="tenant", alert_percents=[50, 80])
        add_mail()
        spend(budget, 8, subject="t1")
        run_once(NOW)
        spend(budget, 5, subject="t2")
        assert run_once(NOW + MINUTE) == 1

    def test_it_is_each_channels_own(self) -> None:
        budget = add_budget(period="day", alert_percents=[50])
        add_mail("short", cooldown_minutes=5)
        add_mail("long", cooldown_minutes=60 * 48)
        spend(budget, 5)
        run_once(NOW)
        spend(budget, 5, at=NOW + DAY)
        run_once(NOW + DAY)
        assert list(AlertDelivery.objects.order_by("pk").values_list("channel__name", "status"))[2:] == [
            ("short", "sent"),
            ("long", "suppressed"),
        ]


def test_many_processes_tell_it_once(shared_database: None, webhook: Webhook) -> None:
    add_webhook(webhook.url)
    budget = add_budget(per="tenant", alert_percents=[50, 100])
    BudgetBalance.objects.bulk_create(
        BudgetBalance(
            budget_id=budget.pk, counter=f"b{budget.pk}.0.t{number}", slice=0, worker="w", posted_nanos=20 * USD
        )
        for number in range(20)
    )
    together = threading.Barrier(4)

    def work() -> int:
        together.wait()
        try:
            return run_once(NOW) + run_once(NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as processes:
        sent = [process.result() for process in [processes.submit(work) for _ in range(4)]]
    assert Alert.objects.count() == 40
    assert sum(sent) == len(webhook.received) == 20
    assert sorted(json.loads(body)["subject"] for _, body in webhook.received) == sorted(
        f"deleted ({number})" for number in range(20)
    )
    assert {status for _, status in states()} == {"sent", "suppressed"}
