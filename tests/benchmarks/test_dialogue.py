import pytest

from benchmarks.dialogue import DIALOGUES
from benchmarks.translation import PAIRS
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Request, Text, ToolCall, ToolResult
from providers.dialects.door import Door


def read(door: Door) -> Request:
    pair = next(pair for pair in PAIRS if pair.door is door)
    assert door.front is not None
    request: Request = door.front.decode_request(DIALOGUES[door.dialect], pair.path)
    return request


@pytest.mark.parametrize("dialect", DIALOGUES)
def test_it_is_about_ten_kilobytes(dialect: Dialect) -> None:
    assert 9_500 <= len(DIALOGUES[dialect]) <= 11_000


@pytest.mark.parametrize("door", {pair.door.dialect: pair.door for pair in PAIRS}.values())
def test_it_says_the_same_in_every_dialect(door: Door) -> None:
    request = read(door)
    parts = [part for message in request.messages for part in message.parts]
    assert len(request.messages) == 20
    assert len(request.tools) == 3
    assert len([part for part in parts if isinstance(part, ToolCall)]) == 2
    assert len([part for part in parts if isinstance(part, ToolResult)]) == 2
    assert len([part for part in parts if isinstance(part, Text)]) >= 16
    assert request.max_output_tokens == 1024
    assert not request.extras
