"""Under a budget only what can be bounded is made."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.passthrough import bounds
from kernel.errors import BudgetExceeded, GatewayError, RateLimited
from providers.prices import PriceBook
from tests.builders import UnwrittenJournal, connection, quiet_plane
from tests.gateway.passthrough.passages import CHAT, ask, budget, passing, under_way
from usage.denials import DenialLog
from usage.policy import LimitRule, Policy, Scope
from usage.windows import Window

STATED = CHAT | {"max_tokens": 10}


@pytest.mark.parametrize(
    ("rest", "body", "why"),
    [
        ("files", None, "nothing is known"),
        ("files", b"--form", "nothing is known"),
        ("deployments/big/chat/completions", STATED, "another model"),
        ("chat/completions", CHAT, "states no maximum"),
        ("chat/completions", {"model": "m"}, "can't be read"),
        ("chat/completions", b'{"model":"m","messages":[{"role":"user"}],"max_tokens":9,"max_tokens":1}', "twice"),
        ("messages", b'{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":9,"maxTokens":1}', "twice"),
        (
            "models/m:generateContent",
            b'{"model":"models/dear","contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":1}}',
            "another model than the path",
        ),
        (
            "models/m:generateContent",
            b'{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":1,"max_output_tokens":9}}',
            "twice",
        ),
        ("responses", {"model": "m", "input": "x", "max_output_tokens": 5, "background": True}, "background"),
        ("chat/completions", STATED | {"max_completion_tokens": 1}, "stated once"),
        ("chat/completions", STATED | {"stream": True}, "ask for its usage"),
        ("completions", {"model": "m", "prompt": "x", "max_completion_tokens": 1}, "states no maximum|stated once"),
    ],
)
async def test_what_can_not_be_bounded_is_refused_and_noted(rest: str, body: Any, why: str) -> None:
    journal = UnwrittenJournal()
    plane = quiet_plane(passing(policy=budget()), journal=journal)
    _, call, passage = under_way(ask(rest, body), plane)
    with pytest.raises(GatewayError, match=why) as caught:
        await bounds.admit(plane, call, passage)
    assert (caught.value.status, caught.value.code) == (403, "cost_unknown")
    assert call.grant is None
    assert isinstance(plane.denials, DenialLog)
    plane.denials.flush()
    assert [(kept.code, kept.rule, kept.route) for kept in journal.kept] == [  # type: ignore[union-attr]
        ("cost_unknown", "price", "passthrough/mock")
    ]


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        ("chat/completions", STATED),
        ("chat/completions", STATED | {"stream": True, "stream_options": {"include_usage": True}}),
        ("v1/responses", {"model": "m", "input": "x", "max_output_tokens": 16}),
        ("v1/messages", {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 10}),
        (
            "v1beta/models/m:generateContent",
            {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"maxOutputTokens": 5}},
        ),
        ("embeddings", {"model": "m", "input": "x"}),
    ],
)
async def test_what_can_be_bounded_is_reserved(rest: str, body: Any) -> None:
    plane, call, passage = under_way(ask(rest, body), quiet_plane(passing(policy=budget())))
    await bounds.admit(plane, call, passage)
    assert call.grant is not None
    assert (call.grant.reserved_nanos or 0) >= 1000


async def test_a_model_without_a_price_is_refused() -> None:
    plane = quiet_plane(passing(policy=budget(), price_book=lambda vendor, model: PriceBook()))
    _, call, passage = under_way(ask("chat/completions", STATED), plane)
    with pytest.raises(GatewayError, match="no price"):
        await bounds.admit(plane, call, passage)


async def test_a_maximum_that_the_provider_does_not_know_bounds_nothing() -> None:
    older = connection("mock", "deepseek")
    plane = quiet_plane(replace(passing(policy=budget()), connections={"mock": older}))
    _, call, passage = under_way(ask("chat/completions", CHAT | {"max_completion_tokens": 5}), plane)
    with pytest.raises(GatewayError, match="as max_tokens"):
        await bounds.admit(plane, call, passage)


async def test_a_budget_that_is_too_small_refuses_as_everywhere() -> None:
    plane, call, passage = under_way(ask("chat/completions", STATED), quiet_plane(passing(policy=budget(1))))
    with pytest.raises(BudgetExceeded):
        await bounds.admit(plane, call, passage)


async def test_a_cost_that_the_client_bounds_wants_the_same() -> None:
    plane, call, passage = under_way(ask("files"))
    call.max_cost_nanos = 10**9
    with pytest.raises(GatewayError, match="nothing is known"):
        await bounds.admit(plane, call, passage)


async def test_without_a_budget_nothing_is_asked() -> None:
    plane, call, passage = under_way(ask("files"))
    await bounds.admit(plane, call, passage)
    assert call.grant is None


async def test_a_query_that_may_hide_the_usage_is_refused() -> None:
    _, call, passage = under_way(ask("chat/completions", STATED, query="fields=choices"))
    assert "query" in bounds.unbounded_because(quiet_plane(passing()), call, passage)


async def test_limits_hold_whatever_is_asked() -> None:
    once = Policy(limits=(LimitRule(1, "one", Scope(), "requests", Window("day"), 1),))
    plane = quiet_plane(passing(policy=once))
    for refused in (False, True):
        _, call, passage = under_way(ask("files"), plane)
        if not refused:
            await bounds.admit(plane, call, passage)
            continue
        with pytest.raises(RateLimited):
            await bounds.admit(plane, call, passage)
