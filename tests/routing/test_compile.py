"""Rows become a snapshot; what can't be used is left out with a warning and takes nothing else along."""

import logging
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kernel.secrets import new_sealing_key
from providers.capabilities import ABLE_TO_ALL, NO_CHANGES, revise
from providers.dialects.canonical import Feature
from providers.models import Price, PriceCatalog, Provider
from routing.compile import compile_snapshot
from routing.models import Route, Target
from routing.snapshot import Route as CompiledRoute
from tenants.models import ConfigurationVersion, Tenant

pytestmark = pytest.mark.django_db


def provider(slug: str = "p", **fields: Any) -> Provider:
    credential = fields.pop("credential", "")
    made = Provider(slug=slug, **({"kind": "openai_compatible", "base_url": "https://up.example/v1"} | fields))
    made.set_credential(credential)
    made.save()
    return made


def routed(name: str, *targets: Target, **fields: Any) -> Route:
    row = Route.objects.create(name=name, **fields)
    for one in targets:
        one.route = row
        one.save()
    return row


def to(upstream: Provider, model: str = "m", **fields: Any) -> Target:
    return Target(provider=upstream, model=model, **fields)


def shared(name: str) -> CompiledRoute | None:
    return compile_snapshot().find_route(tenant_id=0, name=name)


def groups(name: str) -> list[list[str]]:
    found = shared(name)
    assert found is not None
    return [[target.name for target in group] for group in found.groups]


def warnings(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(entry) for entry in caplog.records if entry.name == "routing.compile"]


def test_an_empty_database_is_an_empty_snapshot() -> None:
    ConfigurationVersion.objects.all().delete()
    snapshot = compile_snapshot()
    assert (snapshot.version, dict(snapshot.shared.exact), snapshot.shared.wildcards) == (0, {}, ())
    assert (dict(snapshot.by_tenant), snapshot.provider_slugs) == ({}, ())


def test_a_provider_becomes_a_connection() -> None:
    upstream = provider(
        base_url="https://up.example:8443/root/v1/",
        credential="hush",
        extra_headers={"X-Team": "a"},
        connect_timeout_ms=1,
        first_byte_timeout_ms=2_500,
        idle_timeout_ms=3_000,
        total_timeout_ms=4_000,
    )
    routed("m", to(upstream))
    found = shared("m")
    assert found is not None
    made = found.groups[0][0].connection
    assert (made.slug, made.preset.name, str(made.origin), made.path_prefix) == (
        "p",
        "openai_compatible",
        "https://up.example:8443",
        b"/root/v1",
    )
    assert (made.credential, made.extra_headers) == ("hush", ((b"x-team", b"a"),))
    times = made.timeouts
    assert (times.connect_s, times.first_byte_s, times.idle_s, times.total_s) == (0.001, 2.5, 3.0, 4.0)
    assert "hush" not in repr(compile_snapshot())


def test_a_preset_knows_its_url() -> None:
    routed("m", to(provider(kind="openai", base_url="")))
    found = shared("m")
    assert found is not None
    assert str(found.groups[0][0].connection.origin) == "https://api.openai.com"


def test_a_targets_own_timeouts_go_before_its_providers() -> None:
    routed("m", to(provider(total_timeout_ms=9_000), first_byte_timeout_ms=100, idle_timeout_ms=0))
    found = shared("m")
    assert found is not None
    target = found.groups[0][0]
    assert (target.timeouts.first_byte_s, target.timeouts.idle_s, target.timeouts.total_s) == (0.1, 0.0, 9.0)
    assert target.timeouts.connect_s == target.connection.timeouts.connect_s


def test_the_longest_answers_are_kept() -> None:
    routed("m", to(provider(), max_output_tokens=64), default_max_output_tokens=9)
    found = shared("m")
    assert found is not None
    assert (found.default_max_output_tokens, found.groups[0][0].max_output_tokens) == (9, 64)


def test_a_targets_options_go_over_its_providers() -> None:
    upstream = provider(kind="vertex", base_url="", options={"project": "acme", "location": "us"})
    own = {"location": "eu", "features": {"add": ["seed"], "remove": ["images"]}}
    routed("m", to(upstream, "claude-opus-5-5", options=own), drop_params=True)
    found = shared("m")
    assert found is not None
    [target] = found.groups[0]
    assert found.drop_params
    assert target.options == {"project": "acme", "location": "eu"}
    assert target.connection.options == {"project": "acme", "location": "us"}
    assert not target.connection.has_address
    assert target.capabilities.has(Feature.SEED)
    assert not target.capabilities.has(Feature.IMAGES)
    assert not target.capabilities.has(Feature.SAMPLING)
    assert target.capabilities.max_output_tokens == 128_000


def test_a_model_of_no_family_can_do_anything() -> None:
    routed("m", to(provider(), max_output_tokens=64))
    found = shared("m")
    assert found is not None
    assert found.groups[0][0].capabilities == revise(ABLE_TO_ALL, NO_CHANGES, max_output_tokens=64)
    assert (dict(found.groups[0][0].options), found.drop_params) == ({}, False)
    assert found.groups[0][0].connection.has_address


def test_a_key_file_may_have_lines() -> None:
    upstream = provider(kind="vertex", base_url="", options={"project": "p"}, credential='{\n"type": "x"\n}')
    routed("m", to(upstream))
    assert shared("m") is not None


@pytest.mark.parametrize("options", [{"region": "x"}, {"features": {"add": ["sight"]}}, ["x"]])
def test_a_target_with_broken_options_is_left_out_and_named(options: Any, caplog: pytest.LogCaptureFixture) -> None:
    routed("m", to(provider("bad"), options=options), to(provider("good"), order=1))
    with caplog.at_level(logging.WARNING):
        assert groups("m") == [["good/m"]]
    assert warnings(caplog)[0]["target"] == "bad/m"


def test_targets_are_grouped_by_order() -> None:
    upstream = provider()
    routed(
        "m",
        to(upstream, "late", order=5),
        to(upstream, "first", order=1, weight=3),
        to(upstream, "also", order=1, weight=0),
        to(upstream, "off", order=0, enabled=False),
        max_attempts=7,
    )
    assert groups("m") == [["p/first", "p/also"], ["p/late"]]
    found = shared("m")
    assert found is not None
    assert ([target.weight for target in found.groups[0]], found.max_attempts) == ([3, 0], 7)


def test_fallbacks_come_after_in_their_order_and_one_level_deep() -> None:
    upstream = provider()
    routed("c", to(upstream, "c1", order=0), to(upstream, "c2", order=1), fallbacks=["a"])
    routed("b", to(upstream, "b1", order=9))
    routed("off", to(upstream, "off"), enabled=False)
    routed("a", to(upstream, "a1", order=3), fallbacks=["c", "nowhere", "a", "off", "b"])
    assert groups("a") == [["p/a1"], ["p/c1"], ["p/c2"], ["p/b1"]]
    assert groups("c") == [["p/c1"], ["p/c2"], ["p/a1"]]


def test_a_route_whose_own_targets_are_gone_lives_on_its_fallbacks() -> None:
    routed("b", to(provider(), "b1"))
    routed("a", to(provider("off", enabled=False)), fallbacks=["b"])
    assert groups("a") == [["p/b1"]]


def test_aliases_find_the_route_but_never_hide_another() -> None:
    upstream = provider()
    routed("a", to(upstream, "a1"), aliases=["z", "b"])
    routed("b", to(upstream, "b1"), aliases=["z"])
    assert groups("z") == [["p/a1"]]
    assert groups("b") == [["p/b1"]]


def test_wildcards_stand_longest_first() -> None:
    upstream = provider()
    for name in ("*", "x/*", "x/*-mini", "*-mini"):
        routed(name, to(upstream, f"{name}!"))
    assert [(w.prefix, w.suffix) for w in compile_snapshot().shared.wildcards] == [
        ("x/", "-mini"),
        ("", "-mini"),
        ("x/", ""),
        ("", ""),
    ]
    assert groups("x/big-mini") == [["p/x/big-mini!"]]
    assert groups("else") == [["p/else!"]]


def test_a_tenants_route_is_its_own_and_may_fall_back_to_shared_ones() -> None:
    upstream, acme = provider(), Tenant.objects.create(slug="acme", name="A")
    routed("m", to(upstream, "shared"))
    routed("other", to(upstream, "other"))
    routed("m", to(upstream, "own"), tenant=acme, fallbacks=["m", "other"])
    routed("hidden", to(upstream, "hidden"), tenant=acme)
    snapshot = compile_snapshot()
    own = snapshot.find_route(tenant_id=acme.pk, name="m")
    assert own is not None
    assert [target.model for group in own.groups for target in group] == ["own", "other"]
    assert groups("m") == [["p/shared"]]
    assert snapshot.find_route(tenant_id=acme.pk, name="other") is not None
    assert snapshot.find_route(tenant_id=acme.pk + 1, name="hidden") is None


@pytest.mark.parametrize(
    "broken",
    [
        {"kind": "nobody-knows"},
        {"base_url": "ftp://up.example"},
        {"base_url": "https://me:pass@up.example"},
        {"credential": "two\nlines"},
        {"extra_headers": {"x-a": "two\r\nlines"}},
        {"extra_headers": {"not a name": "x"}},
        {"extra_headers": {"x-a": 1}},
        {"extra_headers": ["x-a"]},
        {"options": {"region": "x"}},
        {"options": ["x"]},
        {"kind": "vertex", "base_url": ""},
        {"kind": "azure", "options": {"auth": "entra"}, "extra_headers": {"x-a": "two\nlines"}},
    ],
)
def test_a_broken_provider_is_left_out_and_named(broken: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    bad, good = provider("bad", **broken), provider("good")
    routed("both", to(bad, order=0), to(good, order=1))
    routed("only-bad", to(bad))
    with caplog.at_level(logging.WARNING):
        snapshot = compile_snapshot()
    assert snapshot.provider_slugs == ("good",)
    assert groups("both") == [["good/m"]]
    assert snapshot.find_route(tenant_id=0, name="only-bad") is None
    said = warnings(caplog)
    assert said[0]["provider"] == "bad"
    assert said[0]["reason"]
    assert "only-bad" in {entry.get("route") for entry in said}
    assert "pass" not in caplog.text
    assert "two" not in caplog.text


def test_a_credential_no_key_opens_leaves_its_provider_out(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    routed("m", to(provider("sealed", credential="hush")))
    routed("n", to(provider("open")))
    settings.GATEWAY_SEALING_KEYS = [new_sealing_key()]
    with caplog.at_level(logging.WARNING):
        assert compile_snapshot().provider_slugs == ("open",)
    assert warnings(caplog)[0]["provider"] == "sealed"


def test_what_is_disabled_is_left_out() -> None:
    upstream = provider()
    routed("off", to(upstream), enabled=False)
    routed("m", to(provider("off", enabled=False), order=0), to(upstream, order=1))
    assert shared("off") is None
    assert groups("m") == [["p/m"]]
    assert compile_snapshot().provider_slugs == ("p",)


def test_prices_are_those_of_the_vendors_in_use() -> None:
    routed("m", to(provider("mine", kind="mock", base_url=""), "mock-small"))
    catalog = PriceCatalog.objects.create(source="manual")
    Price.objects.create(
        catalog=catalog, vendor="mock", model="mock-small", input_per_mtok=Decimal(2), output_per_mtok=Decimal(3)
    )
    Price.objects.create(catalog=catalog, vendor="groq", model="mock-small", input_per_mtok=Decimal(9))
    found = shared("m")
    assert found is not None
    price = compile_snapshot().price_of(found.groups[0][0], tenant_id=1, now_s=2e9)
    assert price is not None
    assert (price.rates.input, price.rates.output) == (2_000_000_000_000, 3_000_000_000_000)


def test_a_larger_configuration_takes_no_more_queries() -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            compile_snapshot()
        return len(captured)

    routed("m0", to(provider("p0")))
    few = queries()
    tenants = [Tenant.objects.create(slug=f"t{n}", name="T") for n in range(3)]
    for n in range(1, 12):
        routed(f"m{n}", to(provider(f"p{n}")), fallbacks=["m0"], tenant=tenants[n % 3])
    assert queries() == few <= 8
