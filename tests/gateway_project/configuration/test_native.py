"""Our own YAML: what each section declares, and how each fault is told."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gateway_project.configuration.declared import Declared, DeclaredCalls
from gateway_project.configuration.document import Mark, parse_document
from gateway_project.configuration.files import load_config
from gateway_project.configuration.native import read_native

SAMPLES = Path(__file__).parent / "samples"
ENVIRON = {"ANN_PASSWORD": "a-long-first-password", "CI_KEY": "sk-ci-secret", "OPENAI_API_KEY": "sk-up", "TEAM": "red"}


def read(text: str, **environ: str) -> Declared:
    return read_native(parse_document(text, file="g.yaml"), environ)


def faults(text: str, **environ: str) -> list[str]:
    return [str(problem) for problem in read(text, **environ).problems]


def test_every_section_is_read() -> None:
    declared, report = load_config(SAMPLES / "gateway.yaml", ENVIRON)
    assert report is None
    assert declared.problems == ()
    assert [tenant.slug for tenant in declared.tenants] == ["acme", "lab"]
    assert declared.tenants[0].values == {"name": "Acme", "time_zone": "Europe/Berlin"}
    [user] = declared.users
    assert (user.email, user.password) == ("ann@acme.test", "a-long-first-password")
    assert user.values == {"username": "ann", "is_staff": True, "is_superuser": True}
    assert [(place.tenant, place.role) for place in user.memberships] == [("acme", "owner"), ("lab", "member")]
    ci, notebook = declared.keys
    assert (ci.secret, ci.user, ci.values) == (
        "sk-ci-secret",
        "ann@acme.test",
        {"scopes": ["inference"], "allowed_routes": ["small*"]},
    )
    assert notebook.values == {"expires_at": datetime(2030, 1, 31, tzinfo=UTC)}
    main, _own = declared.providers
    assert main.credential == "sk-up"
    assert main.values == {
        "kind": "openai",
        "extra_headers": {"X-Team": "team red"},
        "first_byte_timeout_ms": 12_500,
    }
    small = declared.routes[0]
    assert small.values == {
        "description": "Cheap and quick",
        "aliases": ["tiny"],
        "max_attempts": 4,
        "default_max_output_tokens": 800,
        "fallbacks": ["large"],
    }
    assert small.targets is not None
    assert small.targets[1].values == {"weight": 1, "max_output_tokens": 2048, "idle_timeout_ms": 90_000}
    assert declared.prices[0].values == {"input_per_mtok": Decimal("0.05"), "output_per_mtok": Decimal("0.1")}


def test_budgets_and_limits_are_read_exactly() -> None:
    declared, _ = load_config(SAMPLES / "gateway.yaml", ENVIRON)
    all_calls, per_key, week = declared.budgets
    assert all_calls.values == {"limit_nanos": 1_000_000_000_000, "length": None, "period": "month", "time_zone": "UTC"}
    assert per_key.calls == DeclaredCalls(tenant="acme")
    assert per_key.values == {"limit_nanos": 12_000_000_001, "per": "key", "period": "rolling_days", "length": 7}
    [allowance] = per_key.allowances
    assert allowance.subject == DeclaredCalls(tenant="acme", key="ci")
    assert (allowance.limit_nanos, allowance.reason) == (500_000_000, "only tests")
    assert allowance.until == datetime(2099, 1, 31, tzinfo=UTC)
    assert week.calls == DeclaredCalls(tenant="acme", user="ann@acme.test", key="ci", route="small")
    assert week.values == {
        "limit_nanos": 0,
        "period": "week",
        "length": None,
        "hard": False,
        "alert_percents": [75, 120],
        "enabled": False,
    }
    requests, streams, own = declared.limits
    assert (requests.calls, requests.provider) == (DeclaredCalls(), None)
    assert requests.values == {"measure": "requests", "span": "minute", "value": 600, "per": "tenant"}
    assert streams.values == {"measure": "parallel_streams", "value": 20}
    assert (own.provider, own.values) == ("own", {"measure": "provider_calls", "value": 4, "enabled": True})


def test_places_are_those_of_the_rows() -> None:
    declared = read("tenants:\n  - slug: a\n  - slug: b\n")
    assert [tenant.at for tenant in declared.tenants] == [Mark("g.yaml", 2, 5), Mark("g.yaml", 3, 5)]


def test_an_empty_section_declares_nothing() -> None:
    assert read("tenants:\nroutes: []\n") == Declared()


def test_targets_that_are_not_listed_are_left_alone() -> None:
    assert read("routes: [{name: a}]").routes[0].targets is None
    assert read("routes: [{name: a, targets: []}]").routes[0].targets == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("tenant: []", "g.yaml:1:1: unknown section tenant; known are"),
        ("tenants: [{slug: a}]\ntenants: []", "g.yaml:1:1: the section tenants stands twice"),
        ("tenants: {slug: a}", "g.yaml:1:10: tenants: a list is wanted here"),
        ("tenants: [a]", "g.yaml:1:11: a mapping of fields is wanted here"),
        ("tenants: [{slug: a, colour: red}]", "g.yaml:1:21: unknown field colour; known are name, slug"),
        ("tenants: [{slug: a, slug: b}]", "g.yaml:1:12: slug stands twice"),
        ("tenants: [{name: A}]", "g.yaml:1:11: slug is missing"),
        ("tenants: [{slug: ''}]", "slug: it may not be empty"),
        ("tenants: [{slug: a, name: [x]}]", "g.yaml:1:27: name: a text is wanted here"),
        ("tenants: [{slug: a, name: true}]", "name: a text is wanted here"),
        ("tenants: [{slug: a, status: gone}]", "status: 'gone' is none of active, suspended"),
        ("tenants: [{slug: a, time_zone: Mars/Base}]", "no time zone is called 'Mars/Base'"),
        ("users: [{email: a@b.test, password: x, password_env: SET}]", "password and password_env exclude each other"),
        ("users: [{email: a@b.test, staff: maybe}]", "g.yaml:1:34: staff: true or false is wanted here"),
        ("users: [{email: a@b.test, memberships: [{role: owner}]}]", "g.yaml:1:41: tenant is missing"),
        ("users: [{email: a@b.test, memberships: x}]", "memberships: a list is wanted here"),
        ("keys: [{tenant: a, name: k, secret_env: NOPE}]", "g.yaml:1:41: secret_env: the environment has no NOPE"),
        ("keys: [{tenant: a, name: k, secret: 'sk-${NOPE}'}]", "g.yaml:1:37: secret: the environment has no NOPE"),
        ("keys: [{tenant: a, name: k, scopes: inference}]", "scopes: a list is wanted here"),
        ("keys: [{tenant: a, name: k, expires_at: soon}]", "expires_at: 'soon' is not a date or time"),
        ("keys: [{tenant: a, name: k, expires_at: '2030-02-30'}]", "expires_at: '2030-02-30'"),
        ("providers: [{slug: a, kind: nonesuch}]", "g.yaml:1:29: kind: 'nonesuch' is none of"),
        ("providers: [{slug: a, kind: openai_compatible}]", "g.yaml:1:13: a provider of kind openai_compatible has a"),
        ("providers: [{slug: a, kind: azure}]", "g.yaml:1:13: a provider of kind azure has a base_url"),
        ("providers: [{slug: a, kind: vertex, options: x}]", "g.yaml:1:46: options: a mapping of names and texts"),
        ("providers: [{slug: a}]", "g.yaml:1:13: kind is missing"),
        ("providers: [{slug: a, kind: openai, extra_headers: [x]}]", "a mapping of names and texts is wanted here"),
        ("providers: [{slug: a, kind: openai, total_timeout_s: 0}]", "a number of seconds above 0 is wanted here"),
        ("providers: [{slug: a, kind: openai, total_timeout_s: 1e99}]", "a number of seconds above 0 is wanted here"),
        ("providers: [{slug: a, kind: openai, total_timeout_s: .nan}]", "'.nan' is not a number"),
        ("routes: [{name: two words}]", "g.yaml:1:17: name: 'two words' has spaces"),
        ("routes: [{name: a*b*c}]", "g.yaml:1:17: name: 'a*b*c' has spaces, or more than one *"),
        ("routes: [{name: a, max_attempts: 0}]", "max_attempts: 1 is the least"),
        ("routes: [{name: a, default_max_output_tokens: 0}]", "default_max_output_tokens: 1 is the least"),
        ("routes: [{name: a, max_attempts: 1.5}]", "max_attempts: '1.5' is not a whole number"),
        ("routes: [{name: a, targets: [{model: m}]}]", "g.yaml:1:30: provider is missing"),
        ("routes: [{name: a, targets: [{provider: p, model: m, weight: -1}]}]", "weight: '-1' is not a whole number"),
        ("routes: [{name: a, drop_params: maybe}]", "drop_params: true or false is wanted here"),
        ("routes: [{name: a, targets: [{provider: p, model: m, options: x}]}]", "options: a mapping of options"),
        (
            "routes: [{name: a, targets: [{provider: p, model: m, options: {features: x}}]}]",
            "options: features are a mapping of add and remove",
        ),
        ("prices: [{model: m, input_per_mtok: 1}]", "a price names its vendor or a provider, one of the two"),
        ("prices: [{vendor: v, provider: p, model: m, per_image: 1}]", "one of the two"),
        ("prices: [{vendor: v, model: m}]", "a price states at least one of"),
        ("prices: [{vendor: v, model: m, per_image: -1}]", "per_image: '-1' is not a number from 0 up"),
        ("prices: [{vendor: v, model: m, per_image: cheap}]", "per_image: 'cheap' is not a number"),
        ("budgets: [{name: b}]", "g.yaml:1:11: limit_usd is missing"),
        ("budgets: [{limit_usd: 1}]", "g.yaml:1:11: name is missing"),
        (
            "budgets: [{name: b, limit_usd: 0.0000000001}]",
            "g.yaml:1:32: limit_usd: an amount of dollars has nine decimals",
        ),
        ("budgets: [{name: b, limit_usd: 1e-999999999}]", "limit_usd: an amount of dollars has nine decimals at most"),
        ("budgets: [{name: b, limit_usd: 1e99}]", "g.yaml:1:32: limit_usd: a billion dollars is the most"),
        ("budgets: [{name: b, limit_usd: -1}]", "limit_usd: '-1' is not a number from 0 up"),
        ("budgets: [{name: b, limit_usd: 1, period: year}]", "g.yaml:1:43: period: 'year' is none of day, week, month"),
        ("budgets: [{name: b, limit_usd: 1, length: 0}]", "length: 1 is the least"),
        ("budgets: [{name: b, limit_usd: 1, per: team}]", "per: 'team' is none of tenant, user, key, route"),
        ("budgets: [{name: b, limit_usd: 1, time_zone: Mars/Base}]", "no time zone is called 'Mars/Base'"),
        ("budgets: [{name: b, limit_usd: 1, alert_percents: [0]}]", "g.yaml:1:52: alert_percents: 1 is the least"),
        ("budgets: [{name: b, limit_usd: 1, key: ci}]", "g.yaml:1:35: a key is named together with its tenant"),
        ("budgets: [{name: b, limit_usd: 1, allowances: [{limit_usd: 1}]}]", "g.yaml:1:48: reason is missing"),
        (
            "budgets: [{name: b, limit_usd: 1, allowances: [{limit_usd: 1, reason: r, subject: {key: k}}]}]",
            "g.yaml:1:84: a key is named together with its tenant",
        ),
        (
            "budgets: [{name: b, limit_usd: 1, allowances: [{limit_usd: 1, reason: r, subject: t7}]}]",
            "g.yaml:1:83: a mapping of fields is wanted here",
        ),
        ("limits: [{name: l, measure: requests}]", "g.yaml:1:10: value is missing"),
        (
            "limits: [{name: l, measure: money, value: 1}]",
            "measure: 'money' is none of requests, tokens, parallel_calls",
        ),
        ("limits: [{name: l, measure: tokens, span: year, value: 1}]", "span: 'year' is none of minute, hour, day"),
        ("limits: [{name: l, measure: tokens, value: 1.5}]", "g.yaml:1:44: value: '1.5' is not a whole number"),
    ],
)
def test_each_fault_is_told_with_its_place(text: str, fault: str) -> None:
    [told] = faults(text, SET="something")
    assert fault in told


def test_options_are_texts_and_features_lists() -> None:
    text = (
        "providers: [{slug: a, kind: vertex, options: {project: '${P}', api_version: v1}}]\n"
        "routes: [{name: r, drop_params: true, targets: [{provider: a, model: m, "
        "options: {location: eu, features: {add: [seed], remove: [images]}}}]}]"
    )
    declared = read(text, P="acme")
    assert declared.problems == ()
    assert declared.providers[0].values["options"] == {"project": "acme", "api_version": "v1"}
    assert declared.routes[0].values == {"drop_params": True}
    [target] = declared.routes[0].targets or ()
    assert target.values == {
        "options": {"location": "eu", "features": {"add": ["seed"], "remove": ["images"]}},
    }


def test_all_faults_are_told_at_once() -> None:
    told = faults("tenants: [{slag: a}]\nroutes: [{name: r, max_attempts: many}]\nfoo: 1\n")
    assert len(told) == 4


def test_variables_stand_inside_texts_and_numbers() -> None:
    text = "routes: [{name: 'pre-${NAME}', description: '$${NAME}', max_attempts: '${N}', enabled: '${ON}'}]"
    [route] = read(text, NAME="x", N="7", ON="false").routes
    assert route.name == "pre-x"
    assert route.values == {"description": "${NAME}", "max_attempts": 7, "enabled": False}


def test_secrets_do_not_show_in_a_representation() -> None:
    declared, _ = load_config(SAMPLES / "gateway.yaml", ENVIRON)
    assert not any(secret in repr(declared) for secret in ("a-long-first-password", "sk-ci-secret", "sk-up"))
