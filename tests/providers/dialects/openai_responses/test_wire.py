"""A piece that is decoded apart complains with its whole path."""

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.openai_responses.wire import CALL, MESSAGE, REASONING, decode_at


@pytest.mark.parametrize(
    ("raw", "param", "code"),
    [
        (b'{"role":7}', "input[3].role", "invalid_type"),
        (b"{}", "input[3].role", "missing_required_parameter"),
        (b"[]", "input[3]", "invalid_type"),
        (b'{"role":"\xff"}', "input[3]", "invalid_json"),
    ],
)
def test_paths(raw: bytes, param: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_at(MESSAGE, msgspec.Raw(raw), "input[3]")
    assert (caught.value.param, caught.value.code) == (param, code)


def test_a_piece_that_is_right() -> None:
    call = decode_at(CALL, msgspec.Raw(b'{"call_id":"c","name":"f","odd":1}'), "input[0]")
    assert (call.call_id, call.arguments) == ("c", "")


def test_thought_is_its_summary_or_the_whole() -> None:
    summary = b'"summary":[{"text":"a"},{"text":"b"}]'
    content = b'"content":[{"text":"c"}]'
    assert REASONING.decode(b"{" + summary + b"," + content + b"}").text == "a\n\nb"
    assert REASONING.decode(b"{" + content + b"}").text == "c"
    assert REASONING.decode(b"{}").text == ""
