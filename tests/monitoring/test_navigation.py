"""The admin's menu holds what a person may open, in the order of the domain."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client, RequestFactory
from django.urls import reverse

from monitoring.navigation import build_menu
from tenants.models import User

pytestmark = pytest.mark.django_db


def titles(user: User) -> dict[str, list[str]]:
    request = RequestFactory().get("/admin/")
    request.user = user
    return {group.get("title", ""): [item["title"] for item in group["items"]] for group in build_menu(request)}


def test_the_operator_finds_everything_in_order() -> None:
    assert titles(User.objects.create_superuser("root", "root@example.org", "pw")) == {
        "": ["Dashboard"],
        "Tenants": ["Tenants", "Users", "Memberships", "Keys", "Staff groups"],
        "Upstreams": ["Providers", "Prices", "Price catalogs"],
        "Routing": ["Routes"],
        "Money": ["Budgets", "Limits", "Ledger", "Denials", "Changes"],
        "Usage": ["Attempts", "By hour"],
        "Alerts": ["Alerts", "Messages", "Channels"],
    }


def test_staff_find_what_they_may_see_or_change() -> None:
    person = User.objects.create_user("p", "p@example.org", "pw", is_staff=True)
    assert titles(person) == {"": ["Dashboard"]}
    person = User.objects.get(pk=person.pk)
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_route", "change_key"]))
    assert titles(person) == {"": ["Dashboard"], "Tenants": ["Keys"], "Routing": ["Routes"]}


def test_the_page_shows_it_and_every_link_opens() -> None:
    client = Client()
    root = User.objects.create_superuser("root", "root@example.org", "pw")
    client.force_login(root)
    request = RequestFactory().get("/admin/")
    request.user = root
    page = client.get(reverse("admin:index")).content.decode()
    for item in (item for group in build_menu(request) for item in group["items"]):
        assert f'href="{item["link"]}"' in page
        assert client.get(item["link"]).status_code == 200
