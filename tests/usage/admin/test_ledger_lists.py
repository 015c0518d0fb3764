"""Lists of any size stay quick: a filter that no index serves looks at the newest rows and says so."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tenants.models import User
from tests.money_rows import NOON, add_denial, add_entry
from tests.usage_rows import add_tenant
from usage.admin.ledger_lists import name_budgets, name_owners
from usage.models import LedgerEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr("usage.admin.ledger_lists.SCANNED_MAX", 3)
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.org", "pw"))
    return client


def test_an_unserved_filter_is_bounded_unless_days_are_named(admin: Client) -> None:
    key = add_tenant()
    for number in range(6):
        kind = "post" if number else "adjust"
        add_entry(key, f"att_{number}.p", at=NOON + timedelta(days=number), kind=kind)
    url = reverse("admin:usage_ledgerentry_changelist")
    page = admin.get(url, {"kind__exact": "adjust"})
    assert not page.context["cl"].result_list
    assert "looked at the newest" in page.content.decode()
    page = admin.get(url, {"kind__exact": "adjust", "day_to": "2026-06-02"})
    assert [row.pk for row in page.context["cl"].result_list] == ["att_0.p"]
    assert "looked at the newest" not in page.content.decode()
    assert len(admin.get(url).context["cl"].result_list) == 6


def test_a_tenants_refusals_are_served_by_an_index(admin: Client) -> None:
    key = add_tenant()
    for number in range(6):
        add_denial(key, f"den_{number}", at=NOON + timedelta(days=number))
    url = reverse("admin:usage_denial_changelist")
    assert len(admin.get(url, {"tenant__id__exact": key.tenant_id}).context["cl"].result_list) == 6
    assert len(admin.get(url, {"rule": "team"}).context["cl"].result_list) == 4


def test_names_outlive_what_they_name() -> None:
    key = add_tenant()
    entry = add_entry(key, charges="b7.0.k999999@3")
    nobody = LedgerEntry(entry_id="adj_1")
    key.delete()
    key.tenant.delete()
    name_owners([entry, nobody])
    name_budgets([entry, nobody])
    assert (entry.tenant_name, entry.key_name) == (f"deleted ({entry.tenant_id})", f"deleted ({entry.key_id})")
    assert (nobody.tenant_name, nobody.key_name, nobody.budgets) == ("", "", [])
    assert entry.budgets == ["deleted (7) for deleted (999999)"]
