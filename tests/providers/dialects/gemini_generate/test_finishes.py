import pytest
from google.genai import types

from providers.dialects.conversation import Finish
from providers.dialects.gemini_generate.finishes import read_finish, write_reason


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", Finish.STOP),
        ("MAX_TOKENS", Finish.LENGTH),
        ("SPII", Finish.CONTENT_FILTER),
        ("MALFORMED_FUNCTION_CALL", Finish.ERROR),
        ("NEW_SAFETY", Finish.CONTENT_FILTER),
        ("OUTPUT_LENGTH", Finish.LENGTH),
        ("", Finish.STOP),
        ("WHATEVER", Finish.STOP),
    ],
)
def test_every_reason_has_a_meaning(reason: str, finish: Finish) -> None:
    assert read_finish(reason) is finish


def test_calls_end_with_an_ordinary_stop() -> None:
    assert read_finish("STOP", has_calls=True) is Finish.TOOL_CALLS
    assert read_finish("MAX_TOKENS", has_calls=True) is Finish.LENGTH


@pytest.mark.parametrize("finish", list(Finish))
def test_every_finish_has_a_reason_that_google_knows(finish: Finish) -> None:
    assert write_reason(finish) in [reason.value for reason in types.FinishReason]
