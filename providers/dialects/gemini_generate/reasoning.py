"""How much the model shall think, in `thinkingConfig`.

Up to Gemini 2.5 in tokens, within bounds that differ by model; from Gemini 3 on as a level, which can't be turned off
(ai.google.dev/gemini-api/docs/thinking, November 2026 [mem]).
"""

import re
from collections.abc import Mapping

from providers.dialects.conversation import Effort, Reasoning
from providers.dialects.efforts import budget_of, effort_of
from providers.dialects.gemini_generate.wire import Thinking

FIRST_WITH_LEVELS = 3
_GENERATION = re.compile(r"gemini-(\d+)")
_ADAPTIVE = -1
_PRO_LEAST, _LITE_LEAST = 128, 512
_PRO_MOST, _OTHERS_MOST = 32_768, 24_576
_LEVELS: Mapping[Effort, str] = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
}
_EFFORTS: Mapping[str, Effort] = {
    "MINIMAL": "minimal",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "XHIGH": "xhigh",
}


def generation_of(model: str) -> int | None:
    """Return the number in a model's name; None for a name without."""
    found = _GENERATION.search(model)
    return int(found[1]) if found else None


def read_reasoning(wire: Thinking | None) -> Reasoning | None:
    """Return what a client asks for; thoughts are shown only where it says so."""
    if wire is None:
        return None
    budget = wire.thinking_budget
    return Reasoning(
        effort=_EFFORTS.get((wire.thinking_level or "").upper()),
        budget_tokens=None if budget is None or budget < 0 else budget,
        adaptive=budget is not None and budget < 0,
        summary="auto" if wire.include_thoughts else "none",
    )


def thinks(reasoning: Reasoning) -> bool:
    """Tell whether the client wants the model to think, or wants to see what it thinks."""
    if reasoning.effort == "none" or reasoning.budget_tokens == 0:
        return False
    is_sized = reasoning.effort is not None or reasoning.budget_tokens is not None or reasoning.adaptive
    return is_sized or reasoning.summary not in ("", "none")


def write_reasoning(reasoning: Reasoning, model: str) -> Thinking:
    """Return `thinkingConfig` for a model, by its name."""
    generation = generation_of(model)
    shown = True if thinks(reasoning) and reasoning.summary != "none" else None
    if generation is not None and generation >= FIRST_WITH_LEVELS:
        return Thinking(include_thoughts=shown, thinking_level=_level(reasoning, model))
    return Thinking(include_thoughts=shown, thinking_budget=_budget(reasoning, model))


def _level(reasoning: Reasoning, model: str) -> str | None:
    effort = reasoning.effort
    if effort is None and reasoning.budget_tokens is not None:
        effort = effort_of(reasoning.budget_tokens)
    if effort is None:
        return None
    level = _LEVELS[effort]
    return "LOW" if level == "MINIMAL" and "-pro" in model else level


def _budget(reasoning: Reasoning, model: str) -> int | None:
    if reasoning.budget_tokens is not None:
        return _bounded(reasoning.budget_tokens, model)
    if reasoning.effort is not None:
        return _bounded(budget_of(reasoning.effort), model)
    return _ADAPTIVE if reasoning.adaptive else None


def _bounded(tokens: int, model: str) -> int:
    if "-pro" in model:
        return min(max(tokens, _PRO_LEAST), _PRO_MOST)
    if "lite" in model and tokens:
        tokens = max(tokens, _LITE_LEAST)
    return min(tokens, _OTHERS_MOST)
