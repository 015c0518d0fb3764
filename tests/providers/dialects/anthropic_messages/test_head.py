"""The head is read strictly, with the fields that the dialect requires."""

from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.head import decode_count_head, decode_head
from tests.providers.dialects.anthropic_messages.recorded import body

CHAT = {"model": "m", "max_tokens": 7, "messages": [{"role": "user", "content": "hi"}]}


def test_the_head_has_what_routing_needs() -> None:
    head = decode_head(body(CHAT | {"stream": True, "max_cost_usd": 0.5}))
    assert (head.model, head.stream, head.max_output_tokens, head.choices) == ("m", True, 7, 1)
    assert (head.input_bytes, head.max_cost_nanos) == (16 + len("hi"), 500_000_000)
    assert head.input_tokens_most > head.input_bytes


def test_nothing_may_be_generated_to_fill_the_cache() -> None:
    assert decode_head(body(CHAT | {"max_tokens": 0})).max_output_tokens == 0


def test_a_count_needs_no_limit() -> None:
    head = decode_count_head(body({name: CHAT[name] for name in ("model", "messages")}))
    assert (head.max_output_tokens, head.stream) == (0, False)


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"max_tokens": None}, "invalid_type", "max_tokens"),
        ({"max_tokens": -1}, "invalid_value", "max_tokens"),
        ({"model": ""}, "missing_required_parameter", "model"),
        ({"messages": []}, "invalid_value", "messages"),
        ({"messages": [{"role": 1}]}, "invalid_type", "messages[0].role"),
        ({"temperature": "hot"}, "invalid_type", "temperature"),
        ({"stop_sequences": "x"}, "invalid_type", "stop_sequences"),
        ({"max_cost_usd": -1}, "invalid_value", "max_cost_usd"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_head(body(CHAT | fields))
    assert (caught.value.code, caught.value.param) == (code, param)


def test_the_limit_is_required() -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_head(body({name: CHAT[name] for name in ("model", "messages")}))
    assert (caught.value.code, caught.value.param) == ("missing_required_parameter", "max_tokens")
