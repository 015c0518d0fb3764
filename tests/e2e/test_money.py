"""Budgets and limits as a client of OpenAI's meets them: refused in its own errors, live within a second, paid once."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from tests.services.gateway import Gateway

pytestmark = pytest.mark.e2e
LIVE_WITHIN_S = 1.0
ROUTE = "mock-small"


@pytest.fixture
def poor(either: Gateway, request: pytest.FixtureRequest) -> str:
    """A key that a budget of its own and a limit apply to; its name is the rules' too."""
    name = f"poor-{request.node.name[:40].replace('[', '-').replace(']', '')}"
    secret = f"sk-gw-{name}-0123456789"
    either.apply(
        {
            "keys": [{"tenant": "acme", "name": name, "secret": secret}],
            "budgets": [{"name": name, "limit_usd": "0.0001", "period": "lifetime", "tenant": "acme", "key": name}],
            "limits": [
                {"name": name, "measure": "requests", "span": "hour", "value": 40, "tenant": "acme", "key": name}
            ],
        }
    )
    either.keys[name] = secret
    time.sleep(LIVE_WITHIN_S)
    return name


def ask(gateway: Gateway, key: str, *, text: str = "hello", **fields: Any) -> Any:
    with gateway.openai(key, max_retries=0) as client:
        return client.chat.completions.with_raw_response.create(
            model=ROUTE, messages=[{"role": "user", "content": text}], max_tokens=20, **fields
        )


def spent(gateway: Gateway, name: str) -> int:
    code = (
        "from usage.models import Budget, BudgetBalance\n"
        f"budget = Budget.objects.get(name={name!r})\n"
        "print(sum(BudgetBalance.objects.filter(budget_id=budget.pk).values_list('posted_nanos', flat=True)))"
    )
    return int(gateway.shell(code).split()[-1])


def test_many_at_once_never_spend_more_than_the_budget(either: Gateway, poor: str) -> None:
    def one(_: int) -> str:
        try:
            return str(ask(either, poor).headers["x-gateway-cost-usd"])
        except openai.RateLimitError as error:
            assert error.code == "budget_exceeded"
            assert error.type == "insufficient_quota"
            assert error.response.headers["x-should-retry"] == "false"
            assert error.response.headers["x-gateway-budget"] == poor
            return ""

    with ThreadPoolExecutor(8) as pool:
        costs = [cost for cost in pool.map(one, range(30)) if cost]
    nanos = round(sum(float(cost) for cost in costs) * 1e9)
    assert 0 < nanos <= 100_000
    deadline = time.monotonic() + 10
    while spent(either, poor) != nanos and time.monotonic() < deadline:
        time.sleep(0.1)
    assert spent(either, poor) == nanos


def test_a_raised_budget_serves_again_within_a_second(either: Gateway, poor: str) -> None:
    with pytest.raises(openai.RateLimitError):
        ask(either, poor, text="x" * 4_000)
    either.shell(
        "from usage.ledger import budgets\nfrom usage.models import Budget\n"
        f"budgets.raise_limit(Budget.objects.get(name={poor!r}), to_nanos=10**9, reason='more', actor='a test')"
    )
    time.sleep(LIVE_WITHIN_S)
    assert ask(either, poor, text="x" * 4_000).status_code == 200


def test_a_limit_says_what_is_left_and_when_to_come_again(either: Gateway, poor: str) -> None:
    left = [int(ask(either, poor).headers["x-ratelimit-remaining-requests"]) for _ in range(3)]
    assert left == [39, 38, 37]


def test_the_same_key_and_body_pay_once(either: Gateway, poor: str) -> None:
    once = {"extra_headers": {"Idempotency-Key": f"once-{poor}"}}
    first, again = (ask(either, poor, **once) for _ in range(2))
    assert again.headers["idempotency-replayed"] == "true"
    assert again.text == first.text
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        ask(either, poor, text="another", **once)
    assert caught.value.code == "idempotency_key_reused"
    assert int(ask(either, poor).headers["x-ratelimit-remaining-requests"]) == 38


def test_a_stream_is_replayed_whole(either: Gateway, poor: str) -> None:
    def stream() -> list[str]:
        with either.openai(poor, max_retries=0) as client:
            chunks = client.chat.completions.create(
                model=ROUTE,
                messages=[{"role": "user", "content": "hello"}],
                max_tokens=20,
                stream=True,
                extra_headers={"Idempotency-Key": f"stream-{poor}"},
            )
            return [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]

    assert stream() == stream()


def test_a_dry_run_costs_nothing_and_tells_everything(either: Gateway, poor: str) -> None:
    body = {"model": ROUTE, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}
    reports = [
        either.post("/v1/gateway/dry-run", body, key=poor).json(),
        either.post("/v1/chat/completions", body, key=poor, **{"x-gateway-dry-run": "true"}).json(),
    ]
    for report in reports:
        assert report["verdict"] == "admitted"
        assert {rule["rule"] for rule in (*report["budgets"], *report["limits"])} == {poor}
        assert report["targets"][0]["worst_case_cost_usd"] is not None
    assert int(ask(either, poor).headers["x-ratelimit-remaining-requests"]) == 39


def test_the_ledger_proves_itself(either: Gateway, poor: str) -> None:
    for _ in range(3):
        ask(either, poor)
    time.sleep(LIVE_WITHIN_S)
    told = either.shell("from django.core.management import call_command\ncall_command('audit_ledger')")
    assert len(told.splitlines()) >= 6, "a line for each check; a difference would have been an error"
