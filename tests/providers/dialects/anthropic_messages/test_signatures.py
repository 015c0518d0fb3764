"""A foreign signature survives a client that sends its thinking blocks back unread."""

import pytest

from providers.dialects.anthropic_messages.signatures import seal, seal_tool, unseal, unseal_tool
from providers.dialects.canonical import Dialect


def test_own_signatures_stand_as_they_are() -> None:
    assert seal("EqQB", Dialect.ANTHROPIC) == "EqQB"
    assert unseal("EqQB") == ("EqQB", Dialect.ANTHROPIC, "")
    assert unseal("") == ("", None, "")
    assert unseal("a:b") == ("a:b", Dialect.ANTHROPIC, "")


@pytest.mark.parametrize("dialect", [one for one in Dialect if one is not Dialect.ANTHROPIC])
def test_foreign_signatures_come_back_as_whose_they_are(dialect: Dialect) -> None:
    assert unseal(seal("Cq==", dialect, "rs_1")) == ("Cq==", dialect, "rs_1")
    assert unseal_tool(seal_tool("Cq==", dialect)) == ("Cq==", dialect)


def test_a_thought_is_no_tool_s_signature() -> None:
    assert unseal_tool("EqQB") is None
    assert unseal_tool(seal("x", Dialect.GEMINI)) is None
