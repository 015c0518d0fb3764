"""Every reason has a word, and every word a reason."""

import pytest

from providers.dialects.conversation import Finish
from providers.dialects.openai_chat.finishes import read_finish, write_finish

WORDS = {"stop", "length", "tool_calls", "content_filter"}


@pytest.mark.parametrize("finish", list(Finish))
def test_every_reason_is_written_in_openai_s_words(finish: Finish) -> None:
    assert {write_finish(finish, refused=refused) for refused in (True, False)} <= WORDS


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", Finish.STOP),
        ("", Finish.STOP),
        ("whatever", Finish.STOP),
        ("length", Finish.LENGTH),
        ("MAX_TOKENS", Finish.LENGTH),
        ("model_length", Finish.CONTEXT),
        ("function_call", Finish.TOOL_CALLS),
        ("content_filter", Finish.CONTENT_FILTER),
        ("SAFETY", Finish.CONTENT_FILTER),
        ("error", Finish.ERROR),
    ],
)
def test_reading(reason: str, finish: Finish) -> None:
    assert read_finish(reason, refused=False, has_calls=False) is finish


def test_a_stop_says_more_by_what_came_before_it() -> None:
    assert read_finish("stop", refused=False, has_calls=True) is Finish.TOOL_CALLS
    assert read_finish("stop", refused=True, has_calls=False) is Finish.REFUSAL
    assert read_finish("stop", refused=False, has_calls=False, stop_sequence="x") is Finish.STOP_SEQUENCE
    assert read_finish("length", refused=True, has_calls=True) is Finish.LENGTH
