"""The whole prompt is the sum of what is reported apart, and later reports stand in place of earlier ones."""

import msgspec
from anthropic.types import MessageDeltaUsage
from anthropic.types import Usage as VendorUsage
from hypothesis import given

from providers.dialects.anthropic_messages.usage import WireUsage, merge, read_usage, write_usage
from providers.dialects.canonical import Usage
from providers.dialects.conversation import Answer
from tests.providers.dialects.anthropic_messages.recorded import body, cassette
from tests.providers.dialects.anthropic_messages.requests import ANSWERS


def _wire(**fields: object) -> WireUsage:
    return msgspec.json.decode(body(fields), type=WireUsage)


def test_what_was_cached_is_part_of_the_prompt() -> None:
    wire = _wire(**cassette("usage_cache.json")["response"]["usage"])
    assert read_usage(wire) == Usage(input_tokens=433, cached_input_tokens=400, cache_write_tokens=30, output_tokens=7)


def test_writes_are_summed_where_only_their_parts_are_told() -> None:
    wire = _wire(input_tokens=1, cache_creation={"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20})
    assert read_usage(wire) == Usage(input_tokens=31, cache_write_tokens=30)


def test_an_object_that_counts_nothing_is_none() -> None:
    assert read_usage(_wire(service_tier="standard")) is None
    assert read_usage(_wire(input_tokens=-5, output_tokens=2, output_tokens_details={"thinking_tokens": 9})) == Usage(
        output_tokens=2, reasoning_tokens=2
    )


def test_later_counts_win_and_others_stay() -> None:
    first = _wire(input_tokens=9, cache_creation={"ephemeral_5m_input_tokens": 4}, output_tokens=1)
    second = merge(first, _wire(output_tokens=8, cache_creation_input_tokens=3))
    assert read_usage(second) == Usage(input_tokens=12, cache_write_tokens=3, output_tokens=8)
    assert merge(None, first) is first


@given(ANSWERS)
def test_usage_comes_back(answer: Answer) -> None:
    written = write_usage(answer.usage)
    VendorUsage.model_validate(written)
    MessageDeltaUsage.model_validate(written)
    assert read_usage(_wire(**written)) == answer.usage


def test_clients_get_numbers_in_any_case() -> None:
    assert read_usage(_wire(**write_usage(None))) == Usage()
