"""Messages are put into the order that the vendor knows."""

from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.turns import write_turns
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import Message, Request, Text, ToolCall, ToolResult

CALL = Message("assistant", (ToolCall("1", "f", "{}"),))
RESULT = Message("tool", (ToolResult("1", (Text("ok"),)),))


def _say(role: Any, text: str) -> Message:
    return Message(role, (Text(text),))


def _turns(*messages: Message, version: str = "", without: tuple[Feature, ...] = ()) -> tuple[list[str], list[Any]]:
    upstream = Upstream("m", Capabilities(features=frozenset(Feature) - set(without)), api_version=version)
    system, turns = write_turns(Request(model="m", messages=messages, dialect=Dialect.OPENAI), upstream)
    return [block["text"] for block in system], [
        (turn.role, [block.get("text", block["type"]) for block in turn.content]) for turn in turns
    ]


def test_neighbours_of_one_role_become_one() -> None:
    said = (_say("developer", "d"), _say("user", "a"), _say("user", "b"), _say("assistant", "c"), _say("user", "e"))
    assert _turns(*said) == (["d"], [("user", ["a", "b"]), ("assistant", ["c"]), ("user", ["e"])])


def test_results_come_before_what_the_user_says() -> None:
    assert _turns(_say("user", "a"), CALL, _say("user", "b"), RESULT)[1][2] == ("user", ["tool_result", "b"])


def test_later_words_of_the_system_keep_their_place_where_they_can() -> None:
    said = (_say("system", "s"), _say("user", "a"), _say("system", "t"), _say("user", "b"))
    assert _turns(*said) == (["s", "t"], [("user", ["a", "b"])])
    assert _turns(*said, version="2026-10-21") == (["s"], [("user", ["a"]), ("system", ["t"]), ("user", ["b"])])


def test_a_lone_system_message_is_the_user_s() -> None:
    assert _turns(_say("system", "s")) == ([], [("user", ["s"])])


def test_messages_that_say_nothing_are_left_out() -> None:
    assert _turns(_say("user", "a"), _say("assistant", ""), _say("user", "b"))[1] == [("user", ["a", "b"])]
    with pytest.raises(InvalidRequest, match="nothing to answer"):
        _turns(_say("user", ""))


def test_a_result_without_its_call_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        _turns(_say("user", "a"), RESULT)
    assert (caught.value.code, caught.value.param) == ("invalid_tool_result", "messages[1].content[0]")


def test_an_answer_that_was_begun() -> None:
    begun = (_say("user", "a"), _say("assistant", "b \n"))
    assert _turns(*begun)[1][1] == ("assistant", ["b"])
    with pytest.raises(InvalidRequest) as caught:
        _turns(*begun, without=(Feature.PREFILL,))
    assert (caught.value.code, caught.value.param) == ("unsupported_content", "messages[1]")
