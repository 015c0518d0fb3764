"""Declarations against a database: created, left alone, revised, refused whole."""

from pathlib import Path

import pytest

from gateway_project.configuration.apply import Applied, apply
from gateway_project.configuration.document import ConfigurationRefused, parse_document
from gateway_project.configuration.files import load_config
from gateway_project.configuration.native import read_native
from providers.models import Price, Provider
from routing.models import Route, Target
from tenants import keys
from tenants.models import ConfigurationVersion, Key, Membership, Tenant, User

SAMPLES = Path(__file__).parent / "samples"
ENVIRON = {
    "ANN_PASSWORD": "a-long-first-password",
    "CI_KEY": "sk-ci-secret",
    "OPENAI_API_KEY": "sk-up",
    "OPENAI_API_KEY_EU": "sk-eu",
    "GROQ_API_KEY": "gsk-1",
    "LITELLM_MASTER_KEY": "sk-master-1234",
    "TEAM": "red",
}

pytestmark = pytest.mark.django_db


def apply_text(text: str, *, update: bool = False) -> Applied:
    return apply(read_native(parse_document(text, file="g.yaml"), ENVIRON), update=update)


def apply_sample(name: str, *, update: bool = True) -> Applied:
    declared, _ = load_config(SAMPLES / name, ENVIRON)
    return apply(declared, update=update)


def refuse(text: str) -> list[str]:
    with pytest.raises(ConfigurationRefused) as refusal:
        apply_text(text)
    return [str(problem) for problem in refusal.value.problems]


def test_every_section_becomes_rows() -> None:
    applied = apply_sample("gateway.yaml")
    ann = User.objects.get(username="ann")
    assert ann.is_superuser
    assert ann.is_staff
    assert ann.check_password("a-long-first-password")
    assert set(ann.memberships.values_list("tenant__slug", "role")) == {("acme", "owner"), ("lab", "member")}
    assert Tenant.objects.get(slug="acme").time_zone == "Europe/Berlin"
    assert Tenant.objects.get(slug="lab").name == "Lab"
    caller = keys.find(keys.digest_of("sk-ci-secret"))
    assert caller is not None
    assert (caller.tenant_slug, caller.user_id, caller.allowed_routes) == ("acme", ann.pk, ("small*",))
    main = Provider.objects.get(slug="main")
    assert main.credential() == "sk-up"
    assert "sk-up" not in main.sealed_credential
    assert main.extra_headers == {"X-Team": "team red"}
    small = Route.objects.get(name="small", tenant=None)
    assert (small.aliases, small.fallbacks, small.max_attempts) == (["tiny"], ["large"], 4)
    assert list(small.targets.values_list("provider__slug", "model", "weight", "idle_timeout_ms")) == [
        ("main", "gpt-4o-mini", 3, None),
        ("own", "llama", 1, 90_000),
    ]
    [issued] = applied.issued
    notebook = Key.objects.get(tenant__slug="lab", name="notebook")
    assert notebook.digest == keys.digest_of(issued.secret)
    assert issued.secret not in repr(applied)


def test_applying_twice_changes_nothing() -> None:
    apply_sample("gateway.yaml")
    version, prices = ConfigurationVersion.current(), Price.objects.count()
    stamps = list(Key.objects.values_list("updated_at", flat=True))
    assert apply_sample("gateway.yaml") == Applied()
    assert ConfigurationVersion.current() == version
    assert Price.objects.count() == prices
    assert list(Key.objects.values_list("updated_at", flat=True)) == stamps


def test_what_a_person_changed_stays_without_update() -> None:
    apply_sample("gateway.yaml")
    Route.objects.filter(name="large").update(max_attempts=9)
    Target.objects.filter(route__name="large").delete()
    Provider.objects.filter(slug="own").update(base_url="http://127.0.0.1:9/v1")
    assert apply_sample("gateway.yaml", update=False) == Applied()
    assert Route.objects.get(name="large").max_attempts == 9
    assert not Target.objects.filter(route__name="large").exists()


def test_update_brings_back_what_the_file_states_and_nothing_else() -> None:
    apply_sample("gateway.yaml")
    small = Route.objects.get(name="small", tenant=None)
    Route.objects.filter(pk=small.pk).update(max_attempts=9, enabled=False)
    extra = Provider.objects.create(slug="extra", kind="mock")
    Target.objects.create(route=small, provider=extra, model="mock-small")
    applied = apply_sample("gateway.yaml")
    small.refresh_from_db()
    assert small.max_attempts == 4
    assert small.enabled is False
    assert small.targets.count() == 2
    assert applied.updated == ("route small",)
    assert Provider.objects.filter(slug="extra").exists()


def test_update_takes_a_new_credential() -> None:
    apply_text("providers: [{slug: p, kind: openai, credential: one}]")
    assert apply_text("providers: [{slug: p, kind: openai, credential: two}]").updated == ()
    applied = apply_text("providers: [{slug: p, kind: openai, credential: two}]", update=True)
    assert applied.updated == ("provider p",)
    assert Provider.objects.get(slug="p").credential() == "two"


def test_a_password_is_only_ever_the_first() -> None:
    text = "users: [{email: Ann@acme.test, password: first-password}]"
    apply_text(text)
    ann = User.objects.get(email="Ann@acme.test")
    ann.set_password("her own choice")
    ann.save()
    assert apply_text(text.replace("Ann@", "ann@"), update=True).created == ()
    ann.refresh_from_db()
    assert ann.check_password("her own choice")


def test_a_user_without_password_cant_sign_in() -> None:
    apply_text("users: [{email: bob@acme.test}]")
    assert not User.objects.get(username="bob@acme.test").has_usable_password()


def test_a_new_secret_ends_the_old_key() -> None:
    text = "tenants: [{slug: a}]\nkeys: [{tenant: a, name: k, secret: sk-%s}]"
    apply_text(text % "old-one")
    apply_text(text % "new-one", update=True)
    old, new = keys.find(keys.digest_of("sk-old-one")), keys.find(keys.digest_of("sk-new-one"))
    assert old is not None
    assert new is not None
    assert (old.revoked, new.revoked, new.key_name) == (True, False, "k")


def test_a_revoked_key_stays_revoked() -> None:
    text = "tenants: [{slug: a}]\nkeys: [{tenant: a, name: k, secret: sk-same}]"
    apply_text(text)
    keys.revoke(Key.objects.get(name="k"))
    assert apply_text(text, update=True) == Applied()
    assert Key.objects.get(name="k").status == "revoked"


def test_a_membership_changes_with_update() -> None:
    text = "tenants: [{slug: a}]\nusers: [{email: a@a.test, memberships: [{tenant: a, role: %s}]}]"
    apply_text(text % "viewer")
    apply_text(text % "admin", update=True)
    assert [membership.role for membership in Membership.objects.all()] == ["admin"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("keys: [{tenant: gone, name: k}]", "g.yaml:1:8: there is no tenant gone"),
        ("tenants: [{slug: a}]\nkeys: [{tenant: a, name: k, user: gone}]", "g.yaml:2:8: there is no user gone"),
        ("users: [{email: a@a.test, memberships: [{tenant: gone}]}]", "g.yaml:1:41: there is no tenant gone"),
        ("routes: [{name: r, tenant: gone}]", "g.yaml:1:10: there is no tenant gone"),
        ("routes: [{name: r, targets: [{provider: gone, model: m}]}]", "g.yaml:1:30: there is no provider gone"),
        ("routes: [{name: r, fallbacks: [gone]}]", "g.yaml:1:20: there is no route gone to fall back on"),
        ("routes: [{name: a, aliases: [b]}, {name: r, fallbacks: [b]}]", "there is no route b to fall back on"),
        ("routes: [{name: 'a*'}, {name: r, fallbacks: ['a*']}]", "the route a* needs a * that r has not"),
        (
            "providers: [{slug: p, kind: mock}]\nroutes: [{name: r, targets: [{provider: p, model: '*'}]}]",
            "g.yaml:2:30: the model * needs a * that route r has not",
        ),
        ("routes: [{name: r, fallbacks: [r]}]", "the route r can't be its own fallback"),
        ("routes: [{name: r, max_attempts: 99}]", "route r: max_attempts: "),
        ("tenants: [{slug: not a slug}]", "g.yaml:1:11: tenant not a slug: slug: "),
        ("tenants: [{slug: a}]\nkeys: [{tenant: a, name: k, scopes: [all]}]", "key a/k: scopes: scopes are a list out"),
        ("users: [{email: no-address}]", "user no-address: email: "),
        ("providers: [{slug: p, kind: openai, base_url: nowhere}]", "provider p: base_url: an http(s) URL"),
        ("tenants: [{slug: a}, {slug: a}]", "g.yaml:1:22: the tenant a is declared twice, first at g.yaml:1:11"),
        ("users: [{email: a@a.test}, {email: A@a.test}]", "the user a@a.test is declared twice"),
        ("tenants: [{slug: a}]\nkeys: [{tenant: a, name: k}, {tenant: a, name: k}]", "the key a/k is declared twice"),
        ("routes: [{name: a}, {name: b, aliases: [a]}]", "g.yaml:1:21: the route a is declared twice"),
        ("prices: [{provider: gone, model: m, per_image: 1}]", "g.yaml:1:10: there is no provider gone"),
        ("prices: [{vendor: openai, model: m, tenant: gone, per_image: 1}]", "there is no tenant gone"),
    ],
)
def test_what_does_not_hold_is_told_with_its_place(text: str, fault: str) -> None:
    assert any(fault in told for told in refuse(text))


def test_one_fault_stops_everything_and_all_faults_are_told() -> None:
    told = refuse(
        "tenants: [{slug: fine}]\n"
        "providers: [{slug: p, kind: openai, colour: red}]\n"
        "routes: [{name: r, targets: [{provider: p, model: m}, {provider: gone, model: m}]}]\n"
        "keys: [{tenant: nobody, name: k}]\n"
    )
    assert len(told) == 3
    assert told == sorted(told, key=lambda problem: int(problem.split(":")[1]))
    assert not Tenant.objects.exists()
    assert not Provider.objects.exists()


def test_a_secret_that_another_key_has_is_refused() -> None:
    apply_text("tenants: [{slug: a}]\nkeys: [{tenant: a, name: k, secret: sk-same}]")
    [told] = refuse("keys: [{tenant: a, name: other, secret: sk-same}]")
    assert "key a/k has the same secret" in told
    assert "sk-same" not in told


def test_a_target_listed_twice_is_refused() -> None:
    [told] = refuse(
        "providers: [{slug: p, kind: mock}]\n"
        "routes: [{name: r, targets: [{provider: p, model: m}, {provider: p, model: m}]}]\n"
    )
    assert "route r has this target twice" in told


def test_a_route_in_the_database_is_a_fallback_too() -> None:
    apply_text("tenants: [{slug: a}]\nroutes: [{name: there}, {name: own, tenant: a}]")
    apply_text("routes: [{name: r, fallbacks: [there]}, {name: s, tenant: a, fallbacks: [there, own]}]")
    assert Route.objects.get(name="s").fallbacks == ["there", "own"]
    [told] = refuse("routes: [{name: t, fallbacks: [own]}]")
    assert "there is no route own" in told


def test_a_dry_run_finds_everything_and_changes_nothing() -> None:
    declared, _ = load_config(SAMPLES / "gateway.yaml", ENVIRON)
    assert "route small" in apply(declared, dry_run=True).created
    assert not Route.objects.exists()
    assert not Price.objects.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("{}", "options: a provider of this kind needs project"),
        ("{project: p, region: x}", "options: no option of Google Vertex AI is called 'region' here"),
    ],
)
def test_options_that_do_not_fit_are_faults(options: str, words: str) -> None:
    declared = read_native(
        parse_document(f"providers: [{{slug: v, kind: vertex, options: {options}}}]", file="g.yaml"), {}
    )
    with pytest.raises(ConfigurationRefused, match=words):
        apply(declared)


def test_a_litellm_file_goes_in_and_changes_nothing_the_second_time() -> None:
    apply_sample("load_balancing.yaml")
    route = Route.objects.get(name="gpt-4o")
    assert (route.targets.count(), route.drop_params) == (3, True)
    caller = keys.find(keys.digest_of("sk-master-1234"))
    assert caller is not None
    assert caller.scopes == {"inference", "usage", "management", "passthrough"}
    version, prices = ConfigurationVersion.current(), Price.objects.count()
    assert apply_sample("load_balancing.yaml") == Applied()
    assert (ConfigurationVersion.current(), Price.objects.count()) == (version, prices)


@pytest.mark.parametrize("name", ["wildcards.yaml", "with_includes.yaml", "every_key.yaml"])
def test_every_litellm_sample_goes_in(name: str) -> None:
    assert apply_sample(name).created
    assert apply_sample(name) == Applied()
