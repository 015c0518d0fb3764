"""Every end has a status, and every status an end."""

import pytest

from providers.dialects.conversation import Finish
from providers.dialects.openai_responses.ending import incomplete_reason, read_finish, status_of


@pytest.mark.parametrize("finish", list(Finish))
def test_every_end_can_be_said(finish: Finish) -> None:
    assert status_of(finish) in ("completed", "incomplete", "failed")
    assert (incomplete_reason(finish) is not None) == (status_of(finish) == "incomplete")


@pytest.mark.parametrize(
    ("status", "reason", "kinds", "finish"),
    [
        ("completed", "", ["message"], Finish.STOP),
        ("completed", "", ["message", "function_call"], Finish.TOOL_CALLS),
        ("completed", "", ["custom_tool_call"], Finish.TOOL_CALLS),
        ("completed", "", ["message", "refusal"], Finish.REFUSAL),
        ("incomplete", "max_output_tokens", ["function_call"], Finish.LENGTH),
        ("incomplete", "content_filter", [], Finish.CONTENT_FILTER),
        ("incomplete", "steered", [], Finish.STOP),
        ("failed", "", [], Finish.ERROR),
        ("cancelled", "", [], Finish.ERROR),
        ("new_status", "", [], Finish.STOP),
    ],
)
def test_every_status_is_read(status: str, reason: str, kinds: list[str], finish: Finish) -> None:
    assert read_finish(status, reason, kinds) is finish
