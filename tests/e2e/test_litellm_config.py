"""A LiteLLM config.yaml, served as it is, and called with OpenAI's own client."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.services.declared import CREDENTIAL
from tests.services.gateway import Gateway
from tests.services.upstreams import MockUpstream

pytestmark = pytest.mark.e2e
MASTER_KEY = "sk-litellm-master-0123456789"


def _model(name: str, model: str, upstream: MockUpstream) -> dict[str, Any]:
    params = {"model": model, "api_base": f"{upstream.origin}/v1", "api_key": "os.environ/UPSTREAM_KEY"}
    return {"model_name": name, "litellm_params": params}


@pytest.fixture(scope="module")
def migrated(remote: MockUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    config = {
        "model_list": [
            _model("gpt-4o", "openai/gpt-4o", remote),
            _model("gpt-4o", "openai/gpt-4o-mini", remote),
            _model("anything/*", "openai/*", remote),
        ],
        "router_settings": {"num_retries": 2},
        "litellm_settings": {
            "set_verbose": False,
            "max_budget": 100,
            "budget_duration": "30d",
            "default_key_generate_params": {"rpm_limit": 1000},
        },
        "general_settings": {"master_key": MASTER_KEY, "global_max_parallel_requests": 50},
    }
    directory = tmp_path_factory.mktemp("litellm")
    with Gateway(directory, config=config, environment={"UPSTREAM_KEY": CREDENTIAL}) as running:
        running.keys["main"] = MASTER_KEY
        yield running


def test_every_key_is_reported_with_its_line(migrated: Gateway) -> None:
    assert "litellm_settings.set_verbose" in migrated.output
    assert "0 unknown" in migrated.output
    assert CREDENTIAL not in migrated.output
    assert MASTER_KEY not in migrated.output


def test_one_name_means_several_targets(migrated: Gateway, remote: MockUpstream) -> None:
    client = migrated.openai()
    models = set()
    for number in range(40):
        raw = client.chat.completions.with_raw_response.create(
            model="gpt-4o", messages=[{"role": "user", "content": f"hello {number}"}]
        )
        models.add(raw.headers["x-gateway-target"].partition("/")[2])
    assert models == {"gpt-4o", "gpt-4o-mini"}


def test_a_wildcard_carries_the_name_and_its_price(migrated: Gateway, remote: MockUpstream) -> None:
    raw = migrated.openai().chat.completions.with_raw_response.create(
        model="anything/gpt-4o-mini", messages=[{"role": "user", "content": "hello there"}]
    )
    usage = raw.parse().usage
    assert usage is not None
    [sent] = remote.of(raw.headers["x-request-id"])
    assert b'"gpt-4o-mini"' in sent["raw"]
    expected = (usage.prompt_tokens * Decimal("0.15") + usage.completion_tokens * Decimal("0.60")) / 1_000_000
    assert Decimal(raw.headers["x-gateway-cost-usd"]) == expected


def test_budget_and_limits_hold(migrated: Gateway) -> None:
    raw = migrated.openai().chat.completions.with_raw_response.create(
        model="gpt-4o", messages=[{"role": "user", "content": "hello"}], max_tokens=20
    )
    assert 99 < Decimal(raw.headers["x-gateway-budget-remaining-usd"]) < 100
    assert raw.headers["x-ratelimit-limit-requests"] == "1000"
    assert int(raw.headers["x-ratelimit-remaining-requests"]) < 1000
