import msgspec
from google.genai import types
from hypothesis import given

from providers.dialects.canonical import Usage
from providers.dialects.gemini_generate.usage import Modality, WireUsage, read_usage, write_usage
from tests.providers.dialects.gemini_generate.requests import usages


@given(usages())
def test_a_usage_survives_the_wire(usage: Usage) -> None:
    wire = write_usage(usage)
    assert read_usage(wire) == usage
    types.GenerateContentResponseUsageMetadata.model_validate(msgspec.to_builtins(wire))


def test_thoughts_are_output_and_tools_prompts_are_input() -> None:
    wire = WireUsage(
        prompt_token_count=10,
        candidates_token_count=5,
        thoughts_token_count=20,
        tool_use_prompt_token_count=3,
        cached_content_token_count=4,
        total_token_count=38,
        prompt_tokens_details=[Modality("TEXT", 8), Modality("AUDIO", 2)],
    )
    assert read_usage(wire) == Usage(
        input_tokens=13, cached_input_tokens=4, output_tokens=25, reasoning_tokens=20, audio_input_tokens=2
    )


def test_the_total_tells_where_candidates_include_thoughts() -> None:
    wire = WireUsage(prompt_token_count=10, candidates_token_count=25, thoughts_token_count=20, total_token_count=35)
    assert read_usage(wire) == Usage(input_tokens=10, output_tokens=25, reasoning_tokens=20)


def test_nothing_counted_is_no_usage() -> None:
    assert read_usage(None) is None
    assert read_usage(WireUsage()) is None
    assert read_usage(WireUsage(total_token_count=7, candidates_token_count=2)) == Usage(
        input_tokens=5, output_tokens=2
    )
