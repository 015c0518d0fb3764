"""The admin's pages of routes: one form for a route and its targets, and a list that reads like a sentence."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from providers.models import Provider
from routing.admin import describe_targets
from routing.models import Route, Target

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return Provider.objects.create(slug="a", kind="mock")


def form(*targets: dict[str, object], **changes: object) -> dict[str, object]:
    data: dict[str, object] = {"name": "smart", "enabled": "on", "max_attempts": 3}
    data |= {"targets-TOTAL_FORMS": len(targets), "targets-INITIAL_FORMS": 0} | changes
    for number, target in enumerate(targets):
        data |= {f"targets-{number}-{name}": value for name, value in target.items()}
    return data


def add_target(route: Route, provider: Provider, model: str, **fields: object) -> Target:
    return Target.objects.create(route=route, provider=provider, model=model, **fields)


def test_route_is_made_with_its_targets(admin: Client, provider: Provider) -> None:
    target = {"provider": provider.pk, "model": "m", "order": 0, "weight": 2, "enabled": "on"}
    data = form(target, aliases="clever\n\nbright\n", fallbacks="fast", default_max_output_tokens=9, drop_params="on")
    answer = admin.post(reverse("admin:routing_route_add"), data)
    assert answer.status_code == 302, answer.context["errors"]
    route = Route.objects.get()
    assert (route.aliases, route.fallbacks) == (["clever", "bright"], ["fast"])
    assert (route.default_max_output_tokens, route.drop_params) == (9, True)
    assert [(t.provider.slug, t.model, t.weight) for t in route.targets.all()] == [("a", "m", 2)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a b"}, "no spaces"),
        ({"fallbacks": "smart"}, "fall back to itself"),
        ({"max_attempts": 0}, "greater than or equal to 1"),
        ({"default_max_output_tokens": 0}, "greater than or equal to 1"),
    ],
)
def test_what_does_not_fit_is_refused(admin: Client, changes: dict[str, object], words: str) -> None:
    assert words in admin.post(reverse("admin:routing_route_add"), form(**changes)).content.decode()
    assert not Route.objects.exists()


def test_where_it_goes_reads_like_a_sentence(provider: Provider) -> None:
    route = Route.objects.create(name="r")
    off = Provider.objects.create(slug="off", kind="mock", enabled=False)
    add_target(route, provider, "x", weight=7)
    add_target(route, provider, "y", weight=3)
    add_target(route, provider, "later", order=5)
    add_target(route, provider, "never", enabled=False)
    add_target(route, off, "never")
    assert describe_targets(list(route.targets.all())) == "70% a/x · 30% a/y, then a/later"


@pytest.mark.parametrize(
    ("weights", "words"), [((0, 0), "0% a/m0 · 0% a/m1"), ((0, 4), "0% a/m0 · 100% a/m1"), ((), "")]
)
def test_odd_weights_are_told_as_they_are(provider: Provider, weights: tuple[int, ...], words: str) -> None:
    route = Route.objects.create(name="r")
    for number, weight in enumerate(weights):
        add_target(route, provider, f"m{number}", weight=weight)
    assert describe_targets(list(route.targets.all())) == words


def test_duplicates_are_whole_and_switched_off(admin: Client, provider: Provider) -> None:
    route = Route.objects.create(
        name="smart",
        aliases=["clever"],
        fallbacks=["fast"],
        max_attempts=5,
        default_max_output_tokens=9,
        drop_params=True,
    )
    seeded = {"features": {"add": ["seed"]}}
    add_target(route, provider, "x", weight=7, idle_timeout_ms=5, max_output_tokens=64, options=seeded)
    data = {"action": "duplicate", "_selected_action": [route.pk]}
    for _ in range(2):
        admin.post(reverse("admin:routing_route_changelist"), data)
    copy, second = Route.objects.exclude(pk=route.pk).order_by("pk")
    assert (copy.name, second.name) == ("smart-copy", "smart-copy2")
    assert (copy.enabled, copy.aliases, copy.fallbacks, copy.max_attempts) == (False, [], ["fast"], 5)
    assert (copy.default_max_output_tokens, copy.drop_params) == (9, True)
    (target,) = copy.targets.all()
    assert target.options == seeded
    assert (target.model, target.weight, target.idle_timeout_ms, target.max_output_tokens) == ("x", 7, 5, 64)


def test_several_are_switched_at_once(admin: Client) -> None:
    for name in ("a", "b"):
        Route.objects.create(name=name)
    chosen = list(Route.objects.values_list("pk", flat=True))
    admin.post(reverse("admin:routing_route_changelist"), {"action": "disable", "_selected_action": chosen})
    assert not Route.objects.filter(enabled=True).exists()
    admin.post(reverse("admin:routing_route_changelist"), {"action": "enable", "_selected_action": chosen[:1]})
    assert Route.objects.get(enabled=True).pk == chosen[0]


def test_targets_lead_to_their_timeouts_and_stay_out_of_the_menu(admin: Client, provider: Provider) -> None:
    target = add_target(Route.objects.create(name="r"), provider, "x")
    url = reverse("admin:routing_target_change", args=[target.pk])
    assert url in admin.get(reverse("admin:routing_route_change", args=[target.route_id])).content.decode()
    assert admin.get(url).status_code == 200
    assert reverse("admin:routing_target_changelist") not in admin.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ('{"features": {"remove": ["images"]}}', ""),
        ('{"features": {"remove": ["sight"]}}', "no feature is called"),
        ('{"region": "x"}', "is called &#x27;region&#x27; here"),
        ('["x"]', "an object of names and texts"),
    ],
)
def test_options_of_a_target_are_checked(admin: Client, provider: Provider, options: str, words: str) -> None:
    target = add_target(Route.objects.create(name="r"), provider, "x")
    url = reverse("admin:routing_target_change", args=[target.pk])
    data = {"route": target.route_id, "provider": provider.pk, "model": "x", "order": 0, "weight": 1}
    answer = admin.post(url, data | {"options": options})
    assert answer.status_code == (200 if words else 302)
    assert words in answer.content.decode()
    target.refresh_from_db()
    assert target.options == ({} if words else {"features": {"remove": ["images"]}})


def test_a_provider_that_does_not_fit_a_targets_options_is_refused_beside_the_route(
    admin: Client, provider: Provider
) -> None:
    route = Route.objects.create(name="r")
    cloud = Provider.objects.create(slug="c", kind="bedrock", options={"region": "a"})
    target = add_target(route, cloud, "x", options={"region": "b"})
    row = {"id": target.pk, "route": route.pk, "provider": provider.pk, "model": "x", "order": 0, "weight": 1}
    answer = admin.post(
        reverse("admin:routing_route_change", args=[route.pk]), form(row, **{"targets-INITIAL_FORMS": 1, "name": "r"})
    )
    assert "is called &#x27;region&#x27; here" in answer.content.decode()


def test_pages_take_few_queries(
    admin: Client, provider: Provider, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        route = Route.objects.create(name=f"r{number}")
        for model in range(5):
            add_target(route, Provider.objects.create(slug=f"p{number}-{model}", kind="mock"), "m")
    with django_assert_max_num_queries(8):
        admin.get(reverse("admin:routing_route_changelist"))
    with django_assert_max_num_queries(12):
        admin.get(reverse("admin:routing_route_change", args=[route.pk]))
