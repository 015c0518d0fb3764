"""What a provider's error answer means for another try, whatever its status says."""

import msgspec
import pytest

from providers.adapters.refusals import explain_refusal
from providers.dialects.canonical import Dialect
from tests.providers.adapters.outgoing import asking, to
from tests.scripted import JSON, Answer


@pytest.mark.parametrize(
    ("dialect", "status", "body"),
    [
        (Dialect.OPENAI, 402, {"error": {"message": "no credit", "code": 402}}),
        (
            Dialect.OPENAI,
            429,
            {"error": {"message": "pay", "type": "insufficient_quota", "code": "insufficient_quota"}},
        ),
        (Dialect.RESPONSES, 429, {"error": {"message": "pay", "code": "insufficient_quota"}}),
        (Dialect.ANTHROPIC, 400, {"type": "error", "error": {"type": "billing_error", "message": "pay"}}),
        (
            Dialect.ANTHROPIC,
            400,
            {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}},
        ),
    ],
)
def test_an_account_that_is_spent_leaves_the_other_targets(dialect: Dialect, status: int, body: object) -> None:
    exchange = asking(to("openai"), "m", dialect)
    refused = explain_refusal(exchange, Answer([], status=status, headers=[*JSON]), msgspec.json.encode(body))
    assert (refused.code, refused.retryable) == ("insufficient_quota", True)


@pytest.mark.parametrize("words", ["prompt is too long: 9 tokens > 8 maximum", "max_tokens: must be at least 1"])
def test_a_request_that_is_at_fault_is_at_fault_everywhere(words: str) -> None:
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": words}}
    exchange = asking(to("anthropic"), "m", Dialect.ANTHROPIC)
    assert not explain_refusal(exchange, Answer([], status=400, headers=[*JSON]), msgspec.json.encode(body)).retryable
