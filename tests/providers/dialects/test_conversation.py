"""The hub's values are frozen and compare by what they say, which round trips rely on."""

import msgspec
import pytest

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Answer, Choice, Finish, Message, Request, Text, ToolCall


def test_equal_words_are_equal() -> None:
    said = Request("m", (Message("user", (Text("hi"),)),), Dialect.OPENAI)
    assert said == Request("m", (Message("user", (Text("hi"),)),), Dialect.OPENAI)
    assert said != msgspec.structs.replace(said, seed=1)


def test_nobody_changes_what_was_said() -> None:
    answer = Answer((Choice((ToolCall("a", "f", "{}"),), Finish.TOOL_CALLS),))
    with pytest.raises(AttributeError):
        answer.id = "x"  # type: ignore[misc]
