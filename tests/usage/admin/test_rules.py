"""Budgets and limits in the admin: what the pages show, what their buttons do, and who may."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from providers.models import Provider
from tenants.models import ConfigurationVersion, Key, User
from tests.money_rows import USD, add_budget, add_limit, count, reserve, spend
from usage.models import Budget, BudgetAllowance, LedgerEntry, Limit, PolicyChange
from usage.windows import HELD

pytestmark = pytest.mark.django_db
BUDGETS, LIMITS = "admin:usage_budget_changelist", "admin:usage_limit_changelist"


@pytest.fixture
def viewer() -> Client:
    person = User.objects.create_user("viewer", "viewer@example.org", "pw", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_budget", "view_limit"]))
    client = Client()
    client.force_login(person)
    return client


def page_of(client: Client, rule: Budget | Limit) -> str:
    url = reverse(f"admin:usage_{rule._meta.model_name}_change", args=[rule.pk])
    return client.get(url).content.decode()


def fields_of(**fields: Any) -> dict[str, Any]:
    usual = {
        "name": "team",
        "enabled": "on",
        "hard": "on",
        "limit_nanos": "10",
        "period": "lifetime",
        "alert_percents": "50, 80, 100",
    }
    return {name: value for name, value in (usual | fields).items() if value is not None}


def act(client: Client, budget: Budget, action: str, **given: Any) -> Any:
    return client.post(reverse(f"admin:usage_budget_{action}", args=[budget.pk]), given)


class TestBudgets:
    def test_the_list_says_whose_how_much_and_how_full(
        self, admin: Client, key: Key, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_budget("idle", per="user", hard=False, period="month", time_zone="Asia/Tokyo")
        budget = add_budget(tenant=key.tenant)
        spend(budget, 8 * USD)
        reserve(monkeypatch, budget, 9 * USD)
        page = admin.get(reverse(BUDGETS)).content.decode()
        assert "every call of Acme" in page
        assert "$8 of $10" in page
        assert "$1 reserved" in page
        assert 'class="h-2 bg-orange-500" style="width: 80.0%"' in page
        assert 'style="width: 10.0%" data-bar="held"' in page
        assert "each month in Asia/Tokyo" in page
        assert "nothing yet" in page

    def test_a_new_one_is_exact_and_in_the_history(self, admin: Client, key: Key) -> None:
        given = fields_of(limit_nanos="0.123456789", tenant=key.tenant_id, per="key", alert_percents="90", reason="why")
        assert admin.post(reverse("admin:usage_budget_add"), given).status_code == 302
        budget = Budget.objects.get()
        assert (budget.limit_nanos, budget.alert_percents, budget.per) == (123_456_789, [90], "key")
        row = PolicyChange.objects.get()
        assert (row.actor_name, row.action, row.reason) == ("root", "created", "why")

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"limit_nanos": "0.0000000001"}, "no more than 9 decimal places"),
            ({"limit_nanos": "-1"}, "greater than or equal to 0"),
            ({"period": "rolling_days"}, "How many hours or days"),
            ({"time_zone": "Mars/Olympus"}, "is not an IANA time zone"),
            ({"alert_percents": "0"}, "whole percentages from 1"),
            ({"alert_percents": "half"}, "whole percentages from 1"),
            ({"key": "999999"}, "Select a valid choice"),
        ],
    )
    def test_what_is_wrong_is_said(self, admin: Client, wrong: dict[str, str], message: str) -> None:
        answer = admin.post(reverse("admin:usage_budget_add"), fields_of(**wrong))
        assert answer.status_code == 200
        assert message in answer.content.decode()
        assert not Budget.objects.exists()

    def test_an_edit_leaves_alone_what_it_did_not_touch(self, admin: Client) -> None:
        budget, version = add_budget(), ConfigurationVersion.current()
        url = reverse("admin:usage_budget_change", args=[budget.pk])
        assert admin.post(url, fields_of(hard=None, reason="softer")).status_code == 302
        budget.refresh_from_db()
        assert (budget.hard, budget.limit_nanos, budget.generation) == (False, 10 * USD, 0)
        assert ConfigurationVersion.current() > version
        row = PolicyChange.objects.get()
        assert (row.action, row.before, row.after, row.reason) == ("changed", {"hard": True}, {"hard": False}, "softer")

    def test_deleting_is_in_the_history(self, admin: Client) -> None:
        one, two = add_budget("one"), add_budget("two")
        BudgetAllowance.objects.create(budget=one, limit_nanos=1, reason="r")
        admin.post(reverse("admin:usage_budget_delete", args=[one.pk]), {"post": "yes"})
        chosen = {"action": "delete_selected", "_selected_action": [two.pk], "post": "yes"}
        admin.post(reverse(BUDGETS), chosen)
        assert not Budget.objects.exists()
        assert list(PolicyChange.objects.order_by("id").values_list("rule", "action")) == [
            ("one", "deleted"),
            ("two", "deleted"),
        ]

    def test_the_page_shows_every_subject_and_the_history(self, admin: Client, key: Key) -> None:
        budget = add_budget(per="key", period="day", time_zone="UTC")
        spend(budget, 2 * USD + 1, subject=f"k{key.pk}")
        act(admin, budget, "override", subject=f"k{key.pk}", limit="4", reason="a <b>trial</b>")
        page = page_of(admin, budget)
        table = page[page.index('id="standings"') : page.index("</table>")]
        assert "app (Acme)" in table
        assert "overridden" in table
        for amount in ("$4", "$2.000000001", "$1.999999999", "unknown"):
            assert amount in table
        assert f"?subject=k{key.pk}" in table
        history = page[page.index('id="history"') :]
        assert "a &lt;b&gt;trial&lt;/b&gt;" in history
        assert "limit: $10 → $4" in history
        assert "for app (Acme)" in history

    def test_nothing_there(self, admin: Client) -> None:
        assert admin.get(reverse("admin:usage_budget_change", args=[999])).status_code == 302
        assert admin.get(reverse("admin:usage_budget_raise", args=[999])).status_code == 404


class TestButtons:
    def test_every_button_leads_to_its_form(self, admin: Client) -> None:
        budget = add_budget()
        page = page_of(admin, budget)
        for name in ("raise", "reset", "override", "adjust"):
            button = reverse(f"admin:usage_budget_{name}_budget", args=[budget.pk])
            assert button in page
            form = admin.get(button, follow=True).content.decode()
            assert "<strong>team</strong> has a limit of $10." in form
            assert 'name="reason"' in form

    def test_raise(self, admin: Client) -> None:
        budget = add_budget()
        answer = act(admin, budget, "raise", limit="12.5", reason="launch")
        assert answer.headers["Location"] == reverse("admin:usage_budget_change", args=[budget.pk])
        budget.refresh_from_db()
        assert budget.limit_nanos == 12_500_000_000
        assert "The limit was raised." in page_of(admin, budget)

    @pytest.mark.parametrize(
        ("action", "given", "message"),
        [
            ("raise", {"limit": "10", "reason": "r"}, "no more than the limit is now"),
            ("raise", {"limit": "11", "reason": " "}, "This field is required"),
            ("raise", {"limit": "much", "reason": "r"}, "Enter a number"),
            ("reset", {}, "This field is required"),
            ("override", {"subject": "t9", "limit": "1", "reason": "r"}, "leave the subject empty"),
            (
                "override",
                {"limit": "1", "until_0": "2020-01-01", "until_1": "00:00", "reason": "r"},
                "That moment is over",
            ),
            ("end-override", {"reason": "r"}, "no override to end"),
            ("adjust", {"amount": "0", "reason": "r"}, "other than zero"),
        ],
    )
    def test_what_is_refused_is_said(self, admin: Client, action: str, given: dict[str, str], message: str) -> None:
        answer = act(admin, add_budget(), action, **given)
        assert answer.status_code == 200
        assert message in answer.content.decode()
        assert not PolicyChange.objects.exists()

    def test_reset_override_end_adjust(self, admin: Client, key: Key) -> None:
        budget, subject = add_budget(per="key"), f"k{key.pk}"
        assert act(admin, budget, "reset", reason="r").status_code == 302
        tomorrow = timezone.now() + timezone.timedelta(days=1)
        given = {"subject": subject, "limit": "1", "until_0": f"{tomorrow:%Y-%m-%d}", "until_1": "12:00", "reason": "r"}
        assert act(admin, budget, "override", **given).status_code == 302
        allowance = BudgetAllowance.objects.get()
        assert (allowance.limit_nanos, allowance.until.date()) == (USD, tomorrow.date())
        assert "End" in page_of(admin, budget)
        assert act(admin, budget, "end-override", subject=subject, reason="r").status_code == 302
        assert act(admin, budget, "adjust", subject=subject, amount="-0.25", reason="r").status_code == 302
        assert LedgerEntry.objects.get().amount_nanos == -250_000_000
        assert list(PolicyChange.objects.order_by("id").values_list("action", "actor_name")) == [
            ("reset", "root"),
            ("overridden", "root"),
            ("override_ended", "root"),
            ("adjusted", "root"),
        ]
        budget.refresh_from_db()
        assert budget.generation == 1

    def test_nobody_is_asked_for_a_subject_where_there_is_none(self, admin: Client) -> None:
        url = reverse("admin:usage_budget_override", args=[add_budget().pk])
        assert '<input type="hidden" name="subject"' in admin.get(url).content.decode()

    def test_who_may_only_look_can_not_act(self, viewer: Client) -> None:
        budget = add_budget()
        page = page_of(viewer, budget)
        assert "How it stands" in page
        assert "raise_budget" not in page
        assert "?subject=" not in page
        for action in ("raise", "reset", "override", "end-override", "adjust"):
            url = reverse(f"admin:usage_budget_{action}", args=[budget.pk])
            assert viewer.get(url).status_code == 403
            assert viewer.post(url, {"limit": "20", "reason": "r"}).status_code == 403
        assert viewer.post(reverse("admin:usage_budget_change", args=[budget.pk]), fields_of()).status_code == 403
        assert not PolicyChange.objects.exists()

    def test_who_may_nothing_sees_nothing(self) -> None:
        person = User.objects.create_user("p", "p@example.org", "pw", is_staff=True)
        client = Client()
        client.force_login(person)
        assert client.get(reverse(BUDGETS)).status_code == 403
        assert client.get(reverse("admin:usage_budget_change", args=[add_budget().pk])).status_code == 403


class TestLimits:
    def test_the_list_says_what_is_in_use(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        limit = add_limit(measure="parallel_calls", span="", value=4)
        add_limit("apart", per="key")
        count(monkeypatch, **{f"l{limit.pk}_": (HELD, 3)})
        page = admin.get(reverse(LIMITS)).content.decode()
        assert "4 calls at once" in page
        assert "3 of 4" in page
        assert "60 requests a minute" in page
        assert "3 of 4" in page_of(admin, limit)

    def test_a_new_one_and_an_edit(self, admin: Client) -> None:
        acme = Provider.objects.create(slug="acme", name="Acme", kind="mock")
        given = {"name": "pace", "enabled": "on", "measure": "provider_calls", "value": "8", "provider": acme.pk}
        assert admin.post(reverse("admin:usage_limit_add"), given).status_code == 302
        limit = Limit.objects.get()
        url = reverse("admin:usage_limit_change", args=[limit.pk])
        assert admin.post(url, given | {"value": "9", "measure": "requests"}).status_code == 302
        limit.refresh_from_db()
        assert (limit.value, limit.measure) == (9, "provider_calls")
        assert list(PolicyChange.objects.order_by("id").values_list("kind", "action", "after__value")) == [
            ("limit", "created", 8),
            ("limit", "changed", 9),
        ]

    def test_what_is_wrong_is_said(self, admin: Client) -> None:
        given = {"name": "pace", "enabled": "on", "measure": "requests", "value": "8"}
        answer = admin.post(reverse("admin:usage_limit_add"), given)
        assert "Requests and tokens are counted over a span." in answer.content.decode()

    def test_a_viewer_sees_it(self, viewer: Client) -> None:
        limit = add_limit()
        assert "What it allows" in page_of(viewer, limit)
        assert viewer.post(reverse("admin:usage_limit_change", args=[limit.pk]), {"value": "1"}).status_code == 403
