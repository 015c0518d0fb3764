"""The admin's pages of providers and prices; above all, that a credential goes in and never comes out."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from providers.models import Price, PriceCatalog, Provider
from routing.models import Route, Target
from tenants.models import User

pytestmark = pytest.mark.django_db
CREDENTIAL = "sk-very-secret"
FORM = {
    "slug": "p",
    "kind": "openai_compatible",
    "base_url": "http://127.0.0.1:9/v1",
    "enabled": "on",
    "connect_timeout_ms": 1000,
    "first_byte_timeout_ms": 1000,
    "idle_timeout_ms": 1000,
    "total_timeout_ms": 1000,
}
PRICE = {"vendor": "v", "model": "m", "effective_from_0": "2026-01-01", "effective_from_1": "00:00", "tiers": "[]"}


@pytest.fixture
def provider() -> Provider:
    made = Provider(slug="p", kind="openai_compatible", base_url="http://127.0.0.1:9/v1")
    made.set_credential(CREDENTIAL)
    made.save()
    return made


def save(admin: Client, provider: Provider, **changes: object) -> Provider:
    answer = admin.post(reverse("admin:providers_provider_change", args=[provider.pk]), FORM | changes)
    assert answer.status_code == 302, answer.context["errors"]
    return Provider.objects.get(pk=provider.pk)


class TestCredential:
    def test_it_is_sealed_and_never_shown(self, admin: Client) -> None:
        admin.post(reverse("admin:providers_provider_add"), FORM | {"credential": CREDENTIAL})
        made = Provider.objects.get()
        assert made.credential() == CREDENTIAL
        for url in (
            reverse("admin:providers_provider_change", args=[made.pk]),
            reverse("admin:providers_provider_changelist"),
            reverse("admin:providers_provider_history", args=[made.pk]),
        ):
            page = admin.get(url).content.decode()
            assert CREDENTIAL not in page
            assert made.sealed_credential not in page

    def test_left_empty_it_stays(self, admin: Client, provider: Provider) -> None:
        assert save(admin, provider, name="renamed", credential="").credential() == CREDENTIAL

    def test_entered_it_replaces(self, admin: Client, provider: Provider) -> None:
        assert save(admin, provider, credential="sk-new").credential() == "sk-new"

    def test_ticked_it_goes(self, admin: Client, provider: Provider) -> None:
        assert save(admin, provider, clear_credential="on").sealed_credential == ""

    def test_entered_and_ticked_is_a_question(self, admin: Client, provider: Provider) -> None:
        data = FORM | {"credential": "sk-new", "clear_credential": "on"}
        answer = admin.post(reverse("admin:providers_provider_change", args=[provider.pk]), data)
        assert "Either enter a credential or remove it." in answer.content.decode()
        assert "sk-new" not in answer.content.decode()
        provider.refresh_from_db()
        assert provider.credential() == CREDENTIAL

    @pytest.mark.parametrize(("sealed", "word"), [("x", "set"), ("", "not set")])
    def test_list_says_whether_there_is_one(self, admin: Client, provider: Provider, sealed: str, word: str) -> None:
        Provider.objects.filter(pk=provider.pk).update(sealed_credential=sealed)
        (row,) = admin.get(reverse("admin:providers_provider_changelist")).context["results"]
        assert any(f"{word}\n" in cell for cell in row)


class TestProvider:
    def test_extra_headers_are_lines(self, admin: Client, provider: Provider) -> None:
        saved = save(admin, provider, extra_headers="X-Team: blue\n X-Url : http://a:1 \n")
        assert saved.extra_headers == {"X-Team": "blue", "X-Url": "http://a:1"}
        page = admin.get(reverse("admin:providers_provider_change", args=[provider.pk])).content.decode()
        assert "X-Team: blue\nX-Url: http://a:1" in page

    def test_options_are_lines(self, admin: Client, provider: Provider) -> None:
        saved = save(admin, provider, kind="vertex", options="project: acme\nlocation: eu\n")
        assert saved.options == {"project": "acme", "location": "eu"}
        page = admin.get(reverse("admin:providers_provider_change", args=[provider.pk])).content.decode()
        assert "project: acme\nlocation: eu" in page
        assert "Amazon Bedrock: region" in page

    def test_a_kind_that_derives_its_address_needs_none(self, admin: Client) -> None:
        data = FORM | {"kind": "bedrock", "base_url": "", "options": "region: eu-central-1"}
        assert admin.post(reverse("admin:providers_provider_add"), data).status_code == 302
        assert Provider.objects.get().options == {"region": "eu-central-1"}

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"extra_headers": "nonsense"}, "Name: value"),
            ({"base_url": ""}, "no address of its own"),
            ({"base_url": "ftp://x"}, "http(s) URL"),
            ({"kind": "nobody"}, "not one of the available choices"),
            ({"options": "nonsense"}, "Name: value"),
            ({"options": "region: x"}, "is called &#x27;region&#x27; here"),
            ({"kind": "vertex", "options": ""}, "needs project"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, admin: Client, changes: dict[str, str], words: str) -> None:
        answer = admin.post(reverse("admin:providers_provider_add"), FORM | changes)
        assert words in answer.content.decode()
        assert not Provider.objects.exists()

    def test_list_takes_few_queries(
        self, admin: Client, provider: Provider, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        route = Route.objects.create(name="r")
        for number in range(20):
            one = Provider.objects.create(slug=f"p{number}", kind="mock")
            Target.objects.create(route=route, provider=one, model="m")
        with django_assert_max_num_queries(6):
            admin.get(reverse("admin:providers_provider_changelist"))


class TestConnection:
    def test_button_shows_how_it_went(self, admin: Client, provider: Provider) -> None:
        url = reverse("admin:providers_provider_test", args=[provider.pk])
        assert url in admin.get(reverse("admin:providers_provider_change", args=[provider.pk])).content.decode()
        page = admin.post(url).content.decode()
        assert 'data-ok="false"' in page
        assert "No connection" in page
        assert CREDENTIAL not in page

    def test_mock_works(self, admin: Client) -> None:
        mock = Provider.objects.create(slug="m", kind="mock")
        page = admin.post(reverse("admin:providers_provider_test", args=[mock.pk])).content.decode()
        assert 'data-ok="true"' in page

    def test_it_is_no_link(self, admin: Client, provider: Provider) -> None:
        assert admin.get(reverse("admin:providers_provider_test", args=[provider.pk])).status_code == 405

    def test_it_takes_the_right_to_change(self, provider: Provider) -> None:
        viewer = User.objects.create_user("v", "v@example.org", "pw", is_staff=True)
        viewer.user_permissions.set(Permission.objects.filter(codename="view_provider"))
        client = Client()
        client.force_login(viewer)
        url = reverse("admin:providers_provider_test", args=[provider.pk])
        assert client.post(url).status_code == 403
        assert url not in client.get(reverse("admin:providers_provider_change", args=[provider.pk])).content.decode()


class TestPrices:
    def test_added_price_is_the_operators_own(self, admin: Client) -> None:
        answer = admin.post(reverse("admin:providers_price_add"), PRICE | {"input_per_mtok": "0.000000000001"})
        assert answer.status_code == 302, answer.context["errors"]
        price = Price.objects.get()
        assert (price.catalog.source, price.input_per_mtok) == ("manual", Decimal("0.000000000001"))

    @pytest.mark.parametrize("field", ["per_image", "per_request", "per_mcharacter", "per_audio_minute", "per_search"])
    def test_units_have_prices(self, admin: Client, field: str) -> None:
        answer = admin.post(reverse("admin:providers_price_add"), PRICE | {field: "0.5"})
        assert answer.status_code == 302, answer.context["errors"]
        price = Price.objects.get()
        assert getattr(price, field) == Decimal("0.5")
        assert admin.get(reverse("admin:providers_price_change", args=[price.pk])).status_code == 200

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({}, "Enter a rate"),
            ({"input_per_mtok": "-1"}, "below zero"),
            ({"input_per_mtok": "1", "tiers": '[{"above": 1}]'}, "tiers that can"),
            ({"input_per_mtok": "1", "match": '{"like": "x"}'}, "This rule can"),
        ],
    )
    def test_what_prices_nothing_is_refused(self, admin: Client, changes: dict[str, str], words: str) -> None:
        assert words in admin.post(reverse("admin:providers_price_add"), PRICE | changes).content.decode()
        assert not Price.objects.exists()

    def test_written_prices_stay(self, admin: Client) -> None:
        catalog = PriceCatalog.objects.create(source="x")
        price = Price.objects.create(catalog=catalog, vendor="v", model="m", input_per_mtok=1)
        url = reverse("admin:providers_price_change", args=[price.pk])
        assert admin.get(url).status_code == 200
        assert admin.post(url, PRICE | {"input_per_mtok": "2"}).status_code == 403
        assert admin.post(reverse("admin:providers_price_delete", args=[price.pk]), {"post": "yes"}).status_code == 403
        price.refresh_from_db()
        assert price.input_per_mtok == 1

    def test_list_takes_few_queries(self, admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        catalog = PriceCatalog.objects.create(source="x")
        for number in range(20):
            Price.objects.create(catalog=catalog, vendor="v", model=f"m{number}", input_per_mtok=1)
        with django_assert_max_num_queries(7):
            admin.get(reverse("admin:providers_price_changelist"))
