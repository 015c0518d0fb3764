"""Pages by key and counts without counting, on the table of keys."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tenants import keys, paging
from tenants.models import Key, Tenant, User
from tenants.paging import EstimatedPaginator, estimate_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    found = Client()
    found.force_login(User.objects.create_superuser("root", "root@example.org", "pw"))
    return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Five keys, two to a page; their ids, newest first."""
    monkeypatch.setattr(type(admin.site._registry[Key]), "list_per_page", 2)
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    return [keys.issue(tenant=tenant, name=f"k{number}")[0].pk for number in range(5)][::-1]


def see(client: Client, query: str = "") -> tuple[list[int], str, str]:
    shown = client.get(reverse("admin:tenants_key_changelist") + query).context["cl"]
    return [key.pk for key in shown.result_list], shown.newer_url, shown.older_url


def test_pages_follow_each_other_down_and_up(client: Client, made: list[int]) -> None:
    first, none, older = see(client)
    second, newer, oldest = see(client, older)
    third, back, end = see(client, oldest)
    assert [first, second, third] == [made[:2], made[2:4], made[4:]]
    assert (none, end) == ("", "")
    assert see(client, back)[0] == second
    assert see(client, newer)[0] == first


def test_a_page_stays_put_while_rows_arrive(client: Client, made: list[int]) -> None:
    older = see(client)[2]
    keys.issue(tenant=Tenant.objects.get(), name="new")
    assert see(client, older)[0] == made[2:4]


@pytest.mark.parametrize("cursor", ["0", "nonsense", "", "99999"])
def test_unknown_cursor_is_the_first_page(client: Client, made: list[int], cursor: str) -> None:
    assert see(client, f"?older={cursor}")[0] == made[:2]


def test_filters_and_links_forget_the_page(client: Client, made: list[int]) -> None:
    answer = client.get(reverse("admin:tenants_key_changelist"), {"older": made[1], "status": "active"})
    assert answer.context["cl"].newest_url == "?status=active"
    assert b'name="older"' not in answer.content


def test_count_is_exact_up_to_the_bound_and_estimated_beyond(made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Key.objects.all()
    assert EstimatedPaginator(rows, 2).count_text == "5"
    monkeypatch.setattr(paging, "BOUND_ROWS", 3)
    assert EstimatedPaginator(rows.filter(name__startswith="k"), 2).count_text == "more than 3"
    assert EstimatedPaginator(rows, 2).count_text == "about 5"


def test_estimate_reads_no_table(made: list[int]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert estimate_rows(Key.objects.all()) == 5
    assert [query["sql"] for query in queries] == ['SELECT MAX(rowid) FROM "tenants_key"']


def test_every_count_in_the_page_has_a_limit(client: Client, made: list[int]) -> None:
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("admin:tenants_key_changelist"))
    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 10001" in sql for sql in counts)


def test_request_of_the_page_is_what_the_admin_sees(made: list[int]) -> None:
    request = RequestFactory().get("/", {"older": made[0], "q": "x"})
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    admin.site._registry[Key].changelist_view(request)
    assert request.GET.dict() == {"q": "x"}
