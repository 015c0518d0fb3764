"""Losses are named once, by the client's names."""

import pytest

from providers.dialects.bedrock_converse.losses import Losses, refuse
from providers.dialects.canonical import Dialect


@pytest.mark.parametrize(
    ("dialect", "name"),
    [
        (Dialect.OPENAI, "reasoning_effort"),
        (Dialect.RESPONSES, "reasoning"),
        (Dialect.ANTHROPIC, "thinking"),
        (Dialect.GEMINI, "generationConfig.thinkingConfig"),
        (Dialect.CONVERSE, "reasoning"),
    ],
)
def test_names(dialect: Dialect, name: str) -> None:
    losses = Losses(dialect)
    losses.miss("reasoning")
    losses.miss("reasoning")
    losses.overlook("user")
    assert list(losses.unsupported) == [name]
    assert list(losses.ignored) == ["metadata.user_id" if dialect is Dialect.ANTHROPIC else "user"]


def test_what_can_not_be_said() -> None:
    error = refuse("no", "messages[1]")
    assert (error.status, error.code, error.param) == (400, "unsupported_content", "messages[1]")
