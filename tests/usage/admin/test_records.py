"""The admin's pages of usage: what they show, and that no page reads a whole table, however big."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tenants import keys
from tenants.models import Key, User
from tests.usage_lists import LIST, shown
from tests.usage_rows import add_price, add_record

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class TestList:
    def test_newest_first(self, admin: Client, key: Key) -> None:
        for number in (2, 3, 1):
            add_record(key, attempt_id=f"att_{number}", started_at=NOW + timedelta(seconds=number))
        assert shown(admin) == ["att_3", "att_2", "att_1"]

    def test_records_of_one_instant_are_all_reached(
        self, admin: Client, key: Key, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tenants.admin_base.ModelAdmin.list_per_page", 2)
        for number in range(5):
            add_record(key, attempt_id=f"att_{number}", started_at=NOW)
        url, seen = reverse(LIST), []
        while url:
            page = admin.get(url).context["cl"]
            seen += [row.pk for row in page.result_list]
            url = reverse(LIST) + page.older_url if page.older_url else ""
        assert seen == [f"att_{number}" for number in (4, 3, 2, 1, 0)]

    def test_usage_outlives_its_tenant_and_key(self, admin: Client, key: Key) -> None:
        add_record(key, started_at=NOW)
        tenant = key.tenant
        key.delete()
        tenant.delete()
        assert shown(admin) == ["att_1"]
        assert b"deleted (" in admin.get(reverse("admin:usage_usagerecord_change", args=[quote("att_1")])).content

    def test_nobody_writes_it(self, admin: Client, key: Key) -> None:
        add_record(key, started_at=NOW)
        url = reverse("admin:usage_usagerecord_change", args=[quote("att_1")])
        assert admin.get(reverse("admin:usage_usagerecord_add")).status_code == 403
        assert admin.post(url, {"route": "x"}).status_code == 403
        assert (
            admin.post(reverse("admin:usage_usagerecord_delete", args=[quote("att_1")]), {"post": "yes"}).status_code
            == 403
        )

    def test_it_takes_the_right_to_view(self, key: Key) -> None:
        person = User.objects.create_user("p", "p@example.org", "pw", is_staff=True)
        client = Client()
        client.force_login(person)
        assert client.get(reverse(LIST)).status_code == 403
        person.user_permissions.set(Permission.objects.filter(codename="view_usagerecord"))
        assert client.get(reverse(LIST)).status_code == 200


class TestDetail:
    @pytest.mark.parametrize("attempt_id", ["att_019", "att_0A", "att_5F"])
    def test_list_and_siblings_lead_to_it_whatever_its_id(self, admin: Client, key: Key, attempt_id: str) -> None:
        add_record(key, attempt_id=attempt_id, started_at=NOW)
        url = reverse("admin:usage_usagerecord_change", args=[quote(attempt_id)])
        assert url in admin.get(reverse(LIST)).content.decode()
        page = admin.get(url).content.decode()
        assert url in page[page.index('id="attempts"') :]

    def test_it_says_why_and_shows_every_attempt(self, admin: Client, key: Key) -> None:
        add_record(key, attempt_id="att_1", started_at=NOW, ending="failed", target="acme/first")
        add_record(
            key, attempt_id="att_2", started_at=NOW, attempt_number=2, target="acme/second", chosen_because="next order"
        )
        stranger = keys.issue(tenant=key.tenant, name="stranger")[0]
        add_record(stranger, attempt_id="att_3", started_at=NOW, target="acme/strange")
        page = admin.get(reverse("admin:usage_usagerecord_change", args=[quote("att_2")])).content.decode()
        table = page[page.index('id="attempts"') :]
        assert "next order" in page
        assert table.index("acme/first") < table.index("acme/second")
        assert "acme/strange" not in page

    def test_cost_is_added_up_from_the_price_that_was_used(self, admin: Client, key: Key) -> None:
        price = add_price()
        add_record(key, started_at=NOW, input_tokens=100, output_tokens=7, cost_nanos=114_000, price=price)
        page = admin.get(reverse("admin:usage_usagerecord_change", args=[quote("att_1")])).content.decode()
        assert "$1 a million" in page
        assert "$0.0001" in page
        assert "$0.000014" in page
        assert reverse("admin:providers_price_change", args=[price.pk]) in page

    def test_without_a_price_it_says_so(self, admin: Client, key: Key) -> None:
        add_record(key, started_at=NOW, cost_nanos=None)
        page = admin.get(reverse("admin:usage_usagerecord_change", args=[quote("att_1")])).content.decode()
        assert "No price was known" in page
