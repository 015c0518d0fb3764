"""Thoughts keep their text, their signature and whose it is."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Text, Thinking, ToolCall
from providers.dialects.openai_chat.thoughts import Detail, dialect_of, read_thoughts, write_thoughts

signed = st.builds(
    Thinking,
    st.text(max_size=5),
    signature=st.text("ab", min_size=1, max_size=3),
    redacted=st.text("ab", max_size=3),
    id=st.just(""),
    dialect=st.sampled_from(Dialect),
)


@given(st.lists(signed, max_size=3))
def test_signed_thoughts_come_back_as_they_were(thoughts: list[Thinking]) -> None:
    fields = write_thoughts([*thoughts, Text("said")])
    details = msgspec.convert(msgspec.to_builtins(fields.get("reasoning_details", [])), list[Detail])
    assert read_thoughts(fields.get("reasoning_content", ""), details) == thoughts


def test_an_unsigned_thought_is_only_text() -> None:
    assert write_thoughts([Thinking("hm")]) == {"reasoning_content": "hm"}
    assert read_thoughts("hm", []) == [Thinking("hm")]


def test_a_detail_may_leave_its_text_to_the_other_field() -> None:
    assert read_thoughts("hm", [Detail(type="reasoning.text", signature="s", format="anthropic")]) == [
        Thinking("hm", signature="s", dialect=Dialect.ANTHROPIC)
    ]
    assert read_thoughts("hm", [Detail(type="reasoning.encrypted", data="e", format="anthropic")]) == [
        Thinking("hm"),
        Thinking(redacted="e", dialect=Dialect.ANTHROPIC),
    ]


@pytest.mark.parametrize(
    ("name", "foreign", "dialect"),
    [
        ("gemini", False, Dialect.GEMINI),
        ("anthropic-claude-v1", True, Dialect.ANTHROPIC),
        ("anthropic-claude-v1", False, Dialect.OPENAI),
        ("unknown", True, Dialect.OPENAI),
        (None, True, Dialect.OPENAI),
    ],
)
def test_whose_a_signature_is(name: str | None, foreign: bool, dialect: Dialect) -> None:
    assert dialect_of(name, foreign=foreign) is dialect


def test_the_signature_of_a_call_is_a_detail_but_for_google_s() -> None:
    calls = [ToolCall("a", "f", "{}", "s", Dialect.CONVERSE), ToolCall("b", "f", "{}", "s", Dialect.GEMINI)]
    assert write_thoughts(calls)["reasoning_details"] == [
        Detail(type="reasoning.encrypted", data="s", id="a", format="converse")
    ]
