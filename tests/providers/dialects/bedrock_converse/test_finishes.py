"""Every reason of botocore's enumeration has a meaning, and any other one too."""

import pytest

from providers.dialects.bedrock_converse.finishes import read_finish
from providers.dialects.conversation import Finish
from tests.providers.dialects.bedrock_converse.botocore_model import shape


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", Finish.STOP),
        ("tool_use", Finish.TOOL_CALLS),
        ("max_tokens", Finish.LENGTH),
        ("stop_sequence", Finish.STOP_SEQUENCE),
        ("guardrail_intervened", Finish.CONTENT_FILTER),
        ("content_filtered", Finish.CONTENT_FILTER),
        ("malformed_model_output", Finish.ERROR),
        ("malformed_tool_use", Finish.ERROR),
        ("model_context_window_exceeded", Finish.CONTEXT),
        ("a_new_filter", Finish.CONTENT_FILTER),
        ("length_of_days", Finish.LENGTH),
        ("tired", Finish.STOP),
        ("", Finish.STOP),
    ],
)
def test_finishes(reason: str, finish: Finish) -> None:
    assert read_finish(reason) is finish


def test_the_enumeration_is_covered() -> None:
    plain = {reason for reason in shape("StopReason").enum if read_finish(reason) is Finish.STOP}
    assert plain == {"end_turn"}
