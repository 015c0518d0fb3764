"""A wish for thoughts is told the way the model takes it, within the limit of the answer."""

from typing import Any

import pytest

from providers.dialects.anthropic_messages.reasoning import WireThinking, Written, read_reasoning, write_reasoning
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import (
    Message,
    Reasoning,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
)


def _write(
    reasoning: Reasoning | None,
    *,
    max_tokens: int = 30_000,
    without: tuple[Feature, ...] = (),
    version: str = "",
    **fields: Any,
) -> Written:
    request = Request(reasoning=reasoning, **({"model": "m", "messages": (), "dialect": Dialect.OPENAI} | fields))
    capabilities = Capabilities(features=frozenset(Feature) - set(without))
    return write_reasoning(request, Upstream("m", capabilities, api_version=version), max_tokens)


@pytest.mark.parametrize(
    ("thinking", "effort", "expected"),
    [
        (None, None, None),
        (None, "max", Reasoning(effort="xhigh")),
        (WireThinking("between_tools"), None, None),
        (WireThinking("disabled"), None, Reasoning(budget_tokens=0)),
        (WireThinking("adaptive", display="omitted"), "low", Reasoning(effort="low", adaptive=True, summary="none")),
        (WireThinking("enabled", 2048), None, Reasoning(budget_tokens=2048)),
    ],
)
def test_what_clients_ask_is_read(thinking: Any, effort: Any, expected: Reasoning | None) -> None:
    assert read_reasoning(thinking, effort) == expected


@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        (None, Written()),
        (Reasoning(effort="none"), Written({"type": "disabled"})),
        (Reasoning(effort="medium"), Written({"type": "enabled", "budget_tokens": 8192})),
        (Reasoning(adaptive=True), Written({"type": "enabled", "budget_tokens": 8192})),
        (Reasoning(effort="xhigh"), Written({"type": "enabled", "budget_tokens": 29_999})),
        (
            Reasoning(effort="low", summary="detailed"),
            Written({"type": "enabled", "budget_tokens": 1024, "display": "summarized"}),
        ),
    ],
)
def test_older_models_get_a_budget(reasoning: Reasoning | None, expected: Written) -> None:
    assert _write(reasoning) == expected


@pytest.mark.parametrize("how", [{"version": "2026-10-21"}, {"without": (Feature.SAMPLING,)}])
def test_newer_models_get_an_effort(how: dict[str, Any]) -> None:
    assert _write(Reasoning(effort="minimal"), **how) == Written({"type": "adaptive"}, "low")
    assert _write(Reasoning(budget_tokens=9000), **how) == Written({"type": "adaptive"}, "high")
    assert _write(Reasoning(adaptive=True), **how) == Written({"type": "adaptive"})


def test_a_budget_that_has_no_room_is_lost() -> None:
    assert _write(Reasoning(effort="high"), max_tokens=1025).thinking == {"type": "enabled", "budget_tokens": 1024}
    lost = _write(Reasoning(effort="high"), max_tokens=1024)
    assert (lost.thinking, lost.lost, lost.is_on) == ({"type": "disabled"}, True, False)


def test_a_forced_tool_goes_before_thoughts() -> None:
    assert _write(Reasoning(effort="high"), tool_choice=ToolChoice("required")) == Written(lost=True)


@pytest.mark.parametrize(
    ("thoughts", "lost"),
    [
        ((), True),
        ((Thinking("a"),), True),
        ((Thinking("a", signature="s", dialect=Dialect.GEMINI),), True),
        ((Thinking("a", signature="s", dialect=Dialect.ANTHROPIC),), False),
        ((Thinking(redacted="r"),), False),
    ],
)
def test_calls_without_their_thoughts_allow_no_others(thoughts: tuple[Thinking, ...], lost: bool) -> None:
    calls = Message("assistant", (*thoughts, ToolCall("1", "f", "{}")))
    history = (calls, Message("tool", (ToolResult("1", ()),)))
    assert _write(Reasoning(effort="low"), messages=history).lost is lost
    assert _write(Reasoning(budget_tokens=2000), messages=history, dialect=Dialect.ANTHROPIC).lost is lost
    assert not _write(Reasoning(effort="low"), messages=history, version="2026-10-21").lost
    assert not _write(Reasoning(effort="low"), messages=(*history, Message("assistant", (Text("x"),)))).lost


def test_a_model_that_can_t_think_says_so_where_it_should() -> None:
    assert _write(Reasoning(effort="low"), without=(Feature.REASONING,)) == Written(lost=True)
    assert _write(Reasoning(effort="none"), without=(Feature.REASONING,)) == Written()


@pytest.mark.parametrize(
    "reasoning",
    [
        Reasoning(effort="high"),
        Reasoning(adaptive=True, effort="low"),
        Reasoning(budget_tokens=2048, effort="medium", summary="auto"),
        Reasoning(budget_tokens=0),
    ],
)
def test_own_wishes_come_back(reasoning: Reasoning) -> None:
    written = _write(reasoning, dialect=Dialect.ANTHROPIC, version="2026-10-21")
    thinking = WireThinking(**written.thinking) if written.thinking else None
    assert read_reasoning(thinking, written.effort) == reasoning
