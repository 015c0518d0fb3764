"""How limits and budgets stand is written in a vendor's words, and a refusal says whose it was."""

from gateway.limit_headers import anthropic_headers, openai_headers, refusal_headers
from kernel.errors import BudgetExceeded, PermissionRefused, RateLimited
from usage.admission import Refusal, Standing


def test_requests_and_tokens_have_limit_rest_and_reset() -> None:
    standings = [Standing("requests", 3, 2, 60.4, "rpm"), Standing("tokens", 500, 0, 0.12, "tpm")]
    assert openai_headers(standings, 0.0) == [
        (b"x-ratelimit-limit-requests", b"3"),
        (b"x-ratelimit-remaining-requests", b"2"),
        (b"x-ratelimit-reset-requests", b"1m0s"),
        (b"x-ratelimit-limit-tokens", b"500"),
        (b"x-ratelimit-remaining-tokens", b"0"),
        (b"x-ratelimit-reset-tokens", b"120ms"),
    ]


def test_anthropics_resets_are_instants() -> None:
    standings = [Standing("requests", 3, 2, 60.4, "rpm"), Standing("budget", 10**9, 49, None, "b")]
    assert anthropic_headers(standings, 1_760_000_000.0) == [
        (b"anthropic-ratelimit-requests-limit", b"3"),
        (b"anthropic-ratelimit-requests-remaining", b"2"),
        (b"anthropic-ratelimit-requests-reset", b"2025-10-09T08:54:20Z"),
        (b"x-gateway-budget-remaining-usd", b"0.000000049"),
    ]


def test_money_is_told_in_dollars_and_an_exceeded_soft_budget_by_name() -> None:
    standings = [Standing("warning", 9, 0, None, "caf\u00e9"), Standing("budget", 10**9, 49, None, "b")]
    assert openai_headers(standings, 0.0) == [
        (b"x-gateway-budget-warning", b"caf?"),
        (b"x-gateway-budget-remaining-usd", b"0.000000049"),
    ]


def test_without_rules_there_is_nothing_to_tell() -> None:
    assert openai_headers([], 0.0) == []


def test_a_budget_that_refuses_is_named_and_not_to_be_tried_again() -> None:
    assert refusal_headers(Refusal("b", 0, BudgetExceeded("no"))) == [
        (b"x-gateway-budget", b"b"),
        (b"x-should-retry", b"false"),
    ]


def test_what_waiting_mends_may_be_tried_again() -> None:
    later, never = RateLimited("later"), RateLimited("never")
    never.retryable = False
    assert refusal_headers(Refusal("l", 0, later)) == []
    assert refusal_headers(Refusal("l", 0, never)) == [(b"x-should-retry", b"false")]
    assert refusal_headers(Refusal("price", 0, PermissionRefused("no"))) == [(b"x-should-retry", b"false")]
