import pytest

from providers.dialects.conversation import Reasoning
from providers.dialects.gemini_generate.reasoning import read_reasoning, thinks, write_reasoning
from providers.dialects.gemini_generate.wire import Thinking


@pytest.mark.parametrize(
    ("reasoning", "model", "wire"),
    [
        (Reasoning(effort="low"), "gemini-2.5-flash", Thinking(True, 1024)),
        (Reasoning(effort="none"), "gemini-2.5-flash", Thinking(None, 0)),
        (Reasoning(effort="none"), "gemini-2.5-pro", Thinking(None, 128)),
        (Reasoning(effort="xhigh"), "gemini-2.5-flash", Thinking(True, 24_576)),
        (Reasoning(effort="xhigh"), "gemini-2.5-pro", Thinking(True, 32_768)),
        (Reasoning(budget_tokens=100), "gemini-2.5-flash-lite", Thinking(True, 512)),
        (Reasoning(adaptive=True), "gemini-2.5-pro", Thinking(True, -1)),
        (Reasoning(effort="medium"), "gemini-3-flash", Thinking(True, None, "MEDIUM")),
        (Reasoning(effort="none"), "gemini-3-flash", Thinking(None, None, "MINIMAL")),
        (Reasoning(effort="minimal"), "gemini-3-pro-preview", Thinking(True, None, "LOW")),
        (Reasoning(budget_tokens=20_000), "models/gemini-3.1-pro", Thinking(True, None, "HIGH")),
        (Reasoning(adaptive=True), "gemini-3-flash", Thinking(True)),
        (Reasoning(budget_tokens=2000, summary="none"), "gemini-flash-latest", Thinking(None, 2000)),
        (Reasoning(summary="auto"), "gemini-2.5-flash", Thinking(True)),
    ],
)
def test_thinking_is_asked_for_as_the_model_has_it(reasoning: Reasoning, model: str, wire: Thinking) -> None:
    assert write_reasoning(reasoning, model) == wire


@pytest.mark.parametrize(
    ("wire", "reasoning"),
    [
        (None, None),
        (Thinking(True, 1024), Reasoning(budget_tokens=1024, summary="auto")),
        (Thinking(None, -1), Reasoning(adaptive=True, summary="none")),
        (Thinking(None, None, "low"), Reasoning(effort="low", summary="none")),
    ],
)
def test_what_a_client_asks_for_is_read(wire: Thinking | None, reasoning: Reasoning | None) -> None:
    assert read_reasoning(wire) == reasoning


def test_nothing_asked_is_no_thinking() -> None:
    assert not thinks(Reasoning())
    assert not thinks(Reasoning(budget_tokens=0, summary="auto"))
    assert thinks(Reasoning(effort="low", summary="none"))
