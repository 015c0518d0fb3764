"""Budgets and limits over the wire: who reads what, who writes, and that all of it is exact and in the history."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import include, path

from providers.models import Provider
from tenants import keys
from tenants.models import Key, Tenant, User
from tests.money_rows import USD, add_budget, add_limit, count, spend
from tests.usage_rows import add_tenant
from usage.models import Budget, LedgerEntry, Limit, PolicyChange
from usage.rest.rules import urlpatterns
from usage.windows import HELD

pytestmark = pytest.mark.django_db
BASE = "/v0/management"


@pytest.fixture(autouse=True)
def urls(settings: Any) -> None:
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    settings.ROOT_URLCONF = (path("v0/management/", include(urlpatterns)),)


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.org", "pw"))
    return client


def secret_of(tenant: Tenant, *scopes: str) -> str:
    return keys.issue(tenant=tenant, name="reader", scopes=list(scopes or ("management",)))[1]


def ask(client: Client, verb: str, where: str, body: Any = None, *, secret: str = "") -> tuple[int, Any]:
    headers = {"x-api-key": secret} if secret else {}
    answer = client.generic(
        verb,
        f"{BASE}/{where}",
        "" if body is None else json.dumps(body),
        content_type="application/json",
        headers=headers,
    )
    return answer.status_code, answer.json()


class TestBudgets:
    def test_from_beginning_to_end(self, root: Client, key: Key) -> None:
        given = {
            "name": "team",
            "limit_usd": "0.123456789",
            "tenant": "acme",
            "per": "key",
            "period": "rolling_hours",
            "length": 24,
            "alert_percents": [90],
            "reason": "first",
        }
        status, made = ask(root, "POST", "budgets", given)
        assert status == 201
        number = made["id"]
        assert made == {
            "object": "budget",
            "id": number,
            "name": "team",
            "enabled": True,
            "tenant": "acme",
            "user": None,
            "key": None,
            "route": "",
            "per": "key",
            "created_at": made["created_at"],
            "updated_at": made["updated_at"],
            "limit_nanos": 123_456_789,
            "limit_usd": "0.123456789",
            "period": "rolling_hours",
            "length": 24,
            "time_zone": "",
            "hard": True,
            "alert_percents": [90],
            "generation": 0,
            "overrides": [],
        }
        assert ask(root, "GET", f"budgets/{number}") == (200, made)
        status, changed = ask(root, "PATCH", f"budgets/{number}", {"hard": False, "reason": "second"})
        assert (status, changed["hard"], changed["limit_nanos"]) == (200, False, 123_456_789)
        gone = {"object": "budget", "id": number, "deleted": True}
        assert ask(root, "DELETE", f"budgets/{number}", {"reason": "third"}) == (200, gone)
        assert ask(root, "GET", f"budgets/{number}")[0] == 404
        history = PolicyChange.objects.order_by("id").values_list("actor_name", "action", "reason")
        assert list(history) == [
            ("root", "created", "first"),
            ("root", "changed", "second"),
            ("root", "deleted", "third"),
        ]

    def test_deleting_takes_no_body(self, root: Client) -> None:
        assert ask(root, "DELETE", f"budgets/{add_budget().pk}")[0] == 200

    def test_a_patch_can_empty_a_filter(self, root: Client, key: Key) -> None:
        budget = add_budget(tenant=key.tenant)
        assert ask(root, "PATCH", f"budgets/{budget.pk}", {"tenant": None})[1]["tenant"] is None
        budget.refresh_from_db()
        assert (budget.tenant, budget.generation) == (None, 1)

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({"name": "x"}, "limit_usd"),
            ({"limit_usd": 1}, "name"),
            ({"name": "team", "limit_usd": 1}, "name"),
            ({"name": "x", "limit_usd": 1, "period": "decade"}, "period"),
            ({"name": "x", "limit_usd": 1, "period": "rolling_days"}, "length"),
            ({"name": "x", "limit_usd": 1, "length": 2**70, "period": "rolling_days"}, "length"),
            ({"name": "x", "limit_usd": 1, "time_zone": "Mars"}, "time_zone"),
            ({"name": "x", "limit_usd": 1, "alert_percents": [1.5]}, "alert_percents"),
            ({"name": "x", "limit_usd": 1, "alert_percents": None}, "alert_percents"),
            ({"name": "x", "limit_usd": 1, "per": "planet"}, "per"),
            ({"name": "x" * 121, "limit_usd": 1}, "name"),
            ({"name": "x", "limit_usd": "many"}, "limit_usd"),
            ({"name": "x", "limit_usd": 1, "generation": 3}, "generation"),
        ],
    )
    def test_what_is_wrong_is_told(self, root: Client, body: dict[str, Any], param: str) -> None:
        add_budget()
        status, answer = ask(root, "POST", "budgets", body)
        assert (status, answer["error"]["type"], answer["error"]["param"]) == (400, "invalid_request_error", param)
        assert Budget.objects.count() == 1

    def test_no_json_and_no_object(self, root: Client) -> None:
        assert root.post(f"{BASE}/budgets", "{", content_type="application/json").status_code == 400
        assert ask(root, "POST", "budgets", [1])[0] == 400
        assert ask(root, "GET", "budgets?page=2")[1]["error"]["param"] == "page"

    def test_pages(self, root: Client) -> None:
        numbers = [add_budget(f"b{number}").pk for number in range(5)]
        _, first = ask(root, "GET", "budgets?limit=3")
        assert ([row["id"] for row in first["data"]], first["has_more"]) == (numbers[:3], True)
        _, rest = ask(root, "GET", f"budgets?limit=3&after={numbers[2]}")
        assert ([row["id"] for row in rest["data"]], rest["has_more"]) == (numbers[3:], False)


class TestActions:
    def test_raise_reset_override_end_adjust(self, root: Client, key: Key) -> None:
        budget, subject = add_budget(per="key"), f"k{key.pk}"
        here = f"budgets/{budget.pk}"
        assert ask(root, "POST", f"{here}/raise", {"limit_usd": "10.5", "reason": "r"})[1]["limit_usd"] == "10.5"
        assert ask(root, "POST", f"{here}/reset", {"reason": "r"})[1]["generation"] == 1
        until = "2999-01-01T00:00:00+01:00"
        given = {"subject": subject, "limit_usd": 2, "until": until, "reason": "trial"}
        assert ask(root, "POST", f"{here}/override", given)[1]["overrides"] == [
            {
                "subject": subject,
                "limit_nanos": 2 * USD,
                "limit_usd": "2",
                "until": "2998-12-31T23:00:00+00:00",
                "reason": "trial",
            }
        ]
        status, _ = ask(root, "POST", f"{here}/adjust", {"subject": subject, "amount_usd": "-0.5", "reason": "r"})
        assert (status, LedgerEntry.objects.get().amount_nanos) == (200, -500_000_000)
        ended = ask(root, "POST", f"{here}/end-override", {"subject": subject, "reason": "r"})[1]
        assert ended["overrides"] == []
        assert PolicyChange.objects.filter(actor_name="root").count() == 5

    @pytest.mark.parametrize(
        ("action", "body", "param"),
        [
            ("raise", {"limit_usd": 11}, "reason"),
            ("raise", {"reason": "r"}, "limit_usd"),
            ("raise", {"limit_usd": 9, "reason": "r"}, "limit_usd"),
            ("reset", {"reason": " "}, "reason"),
            ("reset", {"reason": "r", "limit_usd": 1}, "limit_usd"),
            ("override", {"subject": "k1", "limit_usd": 1, "reason": "r"}, "subject"),
            ("override", {"limit_usd": 1, "until": "2020-01-01", "reason": "r"}, "until"),
            ("adjust", {"amount_usd": 0, "reason": "r"}, "amount_usd"),
        ],
    )
    def test_what_is_refused(self, root: Client, action: str, body: dict[str, Any], param: str) -> None:
        status, answer = ask(root, "POST", f"budgets/{add_budget().pk}/{action}", body)
        assert (status, answer["error"]["param"]) == (400, param)
        assert not PolicyChange.objects.exists()

    def test_no_such_action_or_budget(self, root: Client) -> None:
        assert ask(root, "POST", f"budgets/{add_budget().pk}/burn", {})[0] == 404
        assert ask(root, "POST", "budgets/999/reset", {"reason": "r"})[0] == 404
        assert ask(root, "GET", f"budgets/{2**63}")[0] == 404


def test_standing(root: Client, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = add_budget(per="key")
    spend(budget, 2 * USD + 1, subject=f"k{key.pk}")
    status, body = ask(root, "GET", f"budgets/{budget.pk}/standing")
    assert status == 200
    assert body["data"] == [
        {
            "subject": f"k{key.pk}",
            "name": "app (Acme)",
            "limit_nanos": 10 * USD,
            "limit_usd": "10",
            "spent_nanos": 2 * USD + 1,
            "spent_usd": "2.000000001",
            "reserved_nanos": None,
            "reserved_usd": None,
            "left_nanos": 8 * USD - 1,
            "left_usd": "7.999999999",
            "percent": 20.0,
            "resets_at": None,
            "overridden": False,
            "override_until": None,
        }
    ]


class TestLimits:
    def test_from_beginning_to_end(self, root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        Provider.objects.create(slug="acme", name="Acme", kind="mock")
        given = {"name": "pace", "measure": "provider_calls", "value": 8, "provider": "acme"}
        status, made = ask(root, "POST", "limits", given)
        assert (status, made["provider"], made["span"], made["used"]) == (201, "acme", "", None)
        count(monkeypatch, **{f"l{made['id']}__p": (HELD, 3)})
        assert ask(root, "GET", "limits")[1]["data"] == [made | {"used": 3}]
        assert ask(root, "PATCH", f"limits/{made['id']}", {"value": 9})[1]["value"] == 9
        assert ask(root, "PATCH", f"limits/{made['id']}", {"value": True})[1]["error"]["param"] == "value"
        assert ask(root, "DELETE", f"limits/{made['id']}")[0] == 200
        assert not Limit.objects.exists()

    def test_what_it_measures_stays(self, root: Client) -> None:
        limit = add_limit()
        status, answer = ask(root, "PATCH", f"limits/{limit.pk}", {"span": "hour"})
        assert (status, "make another limit" in answer["error"]["message"]) == (400, True)


class TestPermissions:
    WRITES = (
        ("POST", "budgets", {"name": "x", "limit_usd": 1}),
        ("PATCH", "budgets/{}", {"hard": False}),
        ("DELETE", "budgets/{}", None),
        ("POST", "budgets/{}/raise", {"limit_usd": 99, "reason": "r"}),
        ("POST", "budgets/{}/reset", {"reason": "r"}),
    )

    def test_a_key_reads_its_own_tenants_rules_alone(self, client: Client, key: Key) -> None:
        other = add_tenant("Other")
        own = [add_budget("own", tenant=key.tenant).pk, add_budget("own key", key=key).pk]
        foreign = [add_budget("theirs", tenant=other.tenant).pk, add_budget("all").pk, add_budget("k", key=other).pk]
        secret = secret_of(key.tenant)
        assert [row["id"] for row in ask(client, "GET", "budgets", secret=secret)[1]["data"]] == own
        assert ask(client, "GET", f"budgets/{own[0]}/standing", secret=secret)[0] == 200
        for number in foreign:
            assert ask(client, "GET", f"budgets/{number}", secret=secret)[0] == 404
            assert ask(client, "GET", f"budgets/{number}/standing", secret=secret)[0] == 404
        limit = add_limit(tenant=other.tenant)
        assert ask(client, "GET", "limits", secret=secret)[1]["data"] == []
        assert ask(client, "GET", f"limits/{limit.pk}", secret=secret)[0] == 404

    def test_a_key_writes_nothing(self, client: Client, key: Key) -> None:
        budget, secret = add_budget(tenant=key.tenant), secret_of(key.tenant)
        for verb, where, body in self.WRITES:
            status, answer = ask(client, verb, where.format(budget.pk), body, secret=secret)
            assert (status, answer["error"]["code"]) == (403, "permission_denied")
        assert not PolicyChange.objects.exists()

    def test_other_keys_and_strangers_see_nothing(self, client: Client, key: Key) -> None:
        assert ask(client, "GET", "budgets", secret=secret_of(key.tenant, "inference", "usage"))[0] == 403
        assert ask(client, "GET", "budgets")[0] == 401

    def test_staff_write_what_their_permissions_say(self, client: Client) -> None:
        person = User.objects.create_user("ops", "ops@example.org", is_staff=True)
        budget = add_budget()
        client.force_login(person)
        assert ask(client, "GET", f"budgets/{budget.pk}")[0] == 200
        for verb, where, body in self.WRITES:
            assert ask(client, verb, where.format(budget.pk), body)[0] == 403
        person.user_permissions.set(Permission.objects.filter(codename="change_budget"))
        answers = [ask(client, verb, where.format(budget.pk), body)[0] for verb, where, body in self.WRITES]
        assert answers == [403, 200, 403, 200, 200]

    def test_a_session_needs_its_csrf_token(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(User.objects.create_superuser("root", "root@example.org", "pw"))
        assert ask(client, "POST", f"budgets/{add_budget().pk}/reset", {"reason": "r"})[0] == 403
        assert not PolicyChange.objects.exists()
