"""How each family is asked to think, and what gives way to what."""

from typing import Any

import pytest

from providers.dialects.canonical import Dialect, Feature
from providers.dialects.conversation import Reasoning, Tool, ToolChoice
from tests.providers.dialects.bedrock_converse.requests import (
    CLAUDE,
    LLAMA,
    NEW_CLAUDE,
    NOVA,
    body_of,
    encode,
    without,
    write,
)

GPT = "openai.gpt-oss-20b-1:0"


def enabled(budget_tokens: int) -> dict[str, Any]:
    return {"thinking": {"type": "enabled", "budget_tokens": budget_tokens}}


def nova(effort: str) -> dict[str, Any]:
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}


@pytest.mark.parametrize(
    ("model", "reasoning", "fields", "effort"),
    [
        (CLAUDE, Reasoning(effort="low"), enabled(1024), None),
        (CLAUDE, Reasoning(effort="high"), enabled(24576), None),
        (CLAUDE, Reasoning(budget_tokens=3000), enabled(3000), None),
        (CLAUDE, Reasoning(budget_tokens=7), enabled(1024), None),
        (CLAUDE, Reasoning(adaptive=True), {"thinking": {"type": "adaptive"}}, None),
        (NEW_CLAUDE, Reasoning(effort="xhigh"), {"thinking": {"type": "adaptive"}}, "xhigh"),
        (NEW_CLAUDE, Reasoning(effort="minimal"), {"thinking": {"type": "adaptive"}}, "low"),
        (NEW_CLAUDE, Reasoning(budget_tokens=8000), {"thinking": {"type": "adaptive"}}, "medium"),
        (NOVA, Reasoning(effort="minimal"), nova("low"), None),
        (NOVA, Reasoning(budget_tokens=30_000), nova("high"), None),
        (NOVA, Reasoning(adaptive=True), nova("medium"), None),
        (GPT, Reasoning(effort="medium"), {"reasoning_effort": "medium"}, None),
    ],
)
def test_each_family(model: str, reasoning: Reasoning, fields: dict[str, Any], effort: str | None) -> None:
    written = write(model=model, reasoning=reasoning)
    assert written["additionalModelRequestFields"] == fields
    assert written.get("outputConfig") == (None if effort is None else {"effort": effort})


@pytest.mark.parametrize("off", [Reasoning(), Reasoning(effort="none"), Reasoning(budget_tokens=0)])
@pytest.mark.parametrize("model", [CLAUDE, NOVA, LLAMA])
def test_off_is_what_it_is_anyway(off: Reasoning, model: str) -> None:
    assert write(model=model, reasoning=off, capabilities=without(Feature.REASONING)).keys() == {"messages"}


def test_a_family_that_is_not_asked() -> None:
    encoded = encode(model=LLAMA, reasoning=Reasoning(effort="low"))
    assert encoded.unsupported == ("reasoning_effort",)


def test_a_model_that_does_not_think() -> None:
    encoded = encode(reasoning=Reasoning(budget_tokens=5000), capabilities=without(Feature.REASONING))
    assert encoded.unsupported == ("reasoning_effort",)
    assert encode(
        reasoning=Reasoning(budget_tokens=5000), capabilities=without(Feature.REASONING), dialect=Dialect.ANTHROPIC
    ).unsupported == ("thinking",)


def test_the_budget_stays_below_the_cap() -> None:
    written = write(reasoning=Reasoning(effort="high"), cap=2000)
    assert written["additionalModelRequestFields"] == enabled(1999)
    encoded = encode(reasoning=Reasoning(effort="high"), max_output_tokens=1024)
    assert encoded.unsupported == ("reasoning_effort",)
    assert "additionalModelRequestFields" not in body_of(encoded)


def test_sampling_gives_way() -> None:
    encoded = encode(reasoning=Reasoning(effort="low"), temperature=0.2, top_p=0.5, top_k=4)
    assert encoded.unsupported == ("temperature", "top_p", "top_k")
    assert "inferenceConfig" not in body_of(encoded)
    assert body_of(encoded)["additionalModelRequestFields"] == enabled(1024)


def test_sampling_that_goes_with_it_stays() -> None:
    assert write(reasoning=Reasoning(effort="low"), temperature=1.0)["inferenceConfig"] == {"temperature": 1.0}
    assert write(reasoning=Reasoning(effort="low"), top_p=0.97)["inferenceConfig"] == {"topP": 0.97}


def test_forced_tools_come_first() -> None:
    encoded = encode(reasoning=Reasoning(effort="low"), tools=(Tool("t"),), tool_choice=ToolChoice("required"))
    assert encoded.unsupported == ("reasoning_effort",)
    assert "additionalModelRequestFields" not in body_of(encoded)
