"""The ledger, refusals and history in the admin: what they show, how they are found, and that nobody writes them."""

from datetime import timedelta

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from tenants import keys
from tenants.models import Key, User
from tests.money_rows import NOON, USD, add_budget, add_denial, add_entry
from tests.usage_rows import add_record, add_tenant
from usage.ledger import budgets
from usage.models import LedgerEntry, PolicyChange

pytestmark = pytest.mark.django_db
LEDGER, DENIALS = "admin:usage_ledgerentry_changelist", "admin:usage_denial_changelist"
CHANGES = "admin:usage_policychange_changelist"


def shown(client: Client, page: str, **query: object) -> list[str]:
    return [row.pk for row in client.get(reverse(page), query).context["cl"].result_list]


class TestLedger:
    def test_newest_first_with_names(self, admin: Client, key: Key) -> None:
        budget = add_budget()
        add_entry(key, "att_1.p", charges=f"b{budget.pk}.0.@0 b{budget.pk}.0.k{key.pk}@0", estimated=True)
        add_entry(key, "att_2.p", at=NOON + timedelta(seconds=1), amount_nanos=None)
        add_entry(key, "adj_1", at=NOON, kind="adjust", amount_nanos=-USD, tenant_id=None, key_id=None, reason="refund")
        assert shown(admin, LEDGER) == ["att_2.p", "att_1.p", "adj_1"]
        page = admin.get(reverse(LEDGER)).content.decode()
        for words in ("≈ $0.0000015", "no price", "-$1", "refund", "Acme", "team, team for app (Acme)"):
            assert words in page

    def test_filters_and_search(self, admin: Client, key: Key) -> None:
        other = add_tenant("Other")
        add_entry(key, "att_1.p")
        add_entry(key, "att_1.v", kind="void", at=NOON + timedelta(days=1))
        add_entry(other, "att_2.p", request_id="req_2")
        assert shown(admin, LEDGER, kind__exact="void") == ["att_1.v"]
        assert shown(admin, LEDGER, tenant__id__exact=other.tenant_id) == ["att_2.p"]
        assert shown(admin, LEDGER, key__id__exact=key.pk) == ["att_1.v", "att_1.p"]
        assert shown(admin, LEDGER, day_from="2026-06-02") == ["att_1.v"]
        assert shown(admin, LEDGER, q="req_2") == ["att_2.p"]
        assert shown(admin, LEDGER, q="att_1") == ["att_1.v", "att_1.p"]

    def test_every_page_is_reached(self, admin: Client, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tenants.admin_base.ModelAdmin.list_per_page", 2)
        for number in range(5):
            add_entry(key, f"att_{number}.p")
        url, seen = reverse(LEDGER), []
        while url:
            page = admin.get(url).context["cl"]
            seen += [row.pk for row in page.result_list]
            url = reverse(LEDGER) + page.older_url if page.older_url else ""
        assert seen == [f"att_{number}.p" for number in (4, 3, 2, 1, 0)]

    def test_one_entry(self, admin: Client, key: Key) -> None:
        add_entry(key, "att_1.p", charges="b7.0.@3")
        page = admin.get(reverse("admin:usage_ledgerentry_change", args=[quote("att_1.p")])).content.decode()
        assert "deleted (7)" in page
        assert "$0.0000015" in page

    def test_nobody_writes_it(self, admin: Client, key: Key) -> None:
        add_entry(key)
        url = reverse("admin:usage_ledgerentry_change", args=[quote("att_1.p")])
        assert admin.post(url, {"amount_nanos": "1"}).status_code == 403
        assert admin.get(reverse("admin:usage_ledgerentry_add")).status_code == 403
        url = reverse("admin:usage_ledgerentry_delete", args=[quote("att_1.p")])
        assert admin.post(url, {"post": "yes"}).status_code == 403
        assert LedgerEntry.objects.count() == 1


class TestCall:
    def ledger_of(self, client: Client, attempt_id: str = "att_1") -> str:
        page = client.get(reverse("admin:usage_usagerecord_change", args=[quote(attempt_id)])).content.decode()
        return page[page.index('id="ledger"') :]

    def test_money_in_the_order_in_which_it_moves(self, admin: Client, key: Key) -> None:
        add_record(key, started_at=NOON)
        budget = add_budget()
        charges = f"b{budget.pk}.0.@0"
        add_entry(key, "att_1.v", kind="void", amount_nanos=USD, charges=charges)
        add_entry(key, "att_0.p", amount_nanos=1, charges=charges)
        add_entry(key, "att_1.p", amount_nanos=2, charges=charges, at=NOON + timedelta(seconds=1))
        add_entry(key, "att_1.r", kind="reserve", amount_nanos=USD + 3, charges=charges)
        stranger = keys.issue(tenant=key.tenant, name="stranger")[0]
        add_entry(stranger, "att_9.p", amount_nanos=777)
        table = self.ledger_of(admin)
        assert [table.index(amount) for amount in ("$1.000000003", "$0.000000001", "$0.000000002")] == sorted(
            table.index(amount) for amount in ("$1.000000003", "$0.000000001", "$0.000000002")
        )
        assert "team" in table
        assert "$0.000000777" not in table
        assert "What was reserved is what was posted and what was given back." in table

    @pytest.mark.parametrize(
        ("posted", "words"),
        [(5, "It cost $0.000000002 more than was reserved"), (1, "$0.000000002 of what was reserved is not accounted")],
    )
    def test_what_does_not_add_up_is_said(self, admin: Client, key: Key, posted: int, words: str) -> None:
        add_record(key, started_at=NOON)
        add_entry(key, "att_1.r", kind="reserve", amount_nanos=3)
        add_entry(key, "att_1.p", amount_nanos=posted)
        assert words in self.ledger_of(admin)

    def test_a_call_without_entries(self, admin: Client, key: Key) -> None:
        add_record(key, started_at=NOON)
        assert "Nothing." in self.ledger_of(admin)


class TestDenials:
    def test_what_was_refused_and_how_it_is_found(self, admin: Client, key: Key) -> None:
        other = add_tenant("Other")
        add_denial(key, "den_1", remaining=1_500, count=1_234)
        add_denial(other, "den_2", code="rate_limit_exceeded", rule="pace", route="fast", at=NOON + timedelta(days=1))
        assert shown(admin, DENIALS) == ["den_2", "den_1"]
        page = admin.get(reverse(DENIALS)).content.decode()
        for words in ("$0.0000015", "1,234", "rate_limit_exceeded", "Other"):
            assert words in page
        assert shown(admin, DENIALS, code="rate_limit_exceeded") == ["den_2"]
        assert shown(admin, DENIALS, rule="team") == ["den_1"]
        assert shown(admin, DENIALS, route="fast") == ["den_2"]
        assert shown(admin, DENIALS, tenant__id__exact=key.tenant_id) == ["den_1"]
        assert shown(admin, DENIALS, key__id__exact=other.pk) == ["den_2"]
        assert shown(admin, DENIALS, day_to="2026-06-01") == ["den_1"]
        assert shown(admin, DENIALS, q="req_1") == ["den_2", "den_1"]
        assert admin.get(reverse("admin:usage_denial_change", args=[quote("den_1")])).status_code == 200


class TestChanges:
    def test_history_over_all_rules(self, admin: Client, key: Key) -> None:
        budget = add_budget(per="key")
        root = User.objects.get(username="root")
        budgets.raise_limit(budget, to_nanos=11 * USD, reason="launch", actor=root)
        budgets.override(budget, subject=f"k{key.pk}", limit_nanos=1, until=None, reason="trial", actor=root)
        page = admin.get(reverse(CHANGES)).content.decode()
        for words in ("limit: $10 → $11", "launch", "trial", "app (Acme)", "override"):
            assert words in page
        [raised] = shown(admin, CHANGES, action__exact="raised")
        assert len(shown(admin, CHANGES, rule="team")) == 2
        assert "limit: $10" in admin.get(reverse("admin:usage_policychange_change", args=[raised])).content.decode()
        answer = admin.post(reverse("admin:usage_policychange_delete", args=[raised]), {"post": "yes"})
        assert answer.status_code == 403
        assert PolicyChange.objects.count() == 2
