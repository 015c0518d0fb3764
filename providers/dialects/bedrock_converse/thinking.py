"""How much a model shall think, in the words of its family.

Claude: `thinking` among the model's own fields, by a budget, or adaptively with an effort in `outputConfig`; Nova 2:
`reasoningConfig`; OpenAI's open models: `reasoning_effort` (the families' pages in Bedrock's guide, November 2026).
Sampling and forced tools don't go together with Claude's thinking; forced tools come first.
"""

from typing import Any

import msgspec

from providers.dialects.bedrock_converse.families import is_claude, is_gpt, is_nova_reasoner, thinks_adaptively
from providers.dialects.bedrock_converse.losses import Losses
from providers.dialects.canonical import Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import Effort, Reasoning
from providers.dialects.efforts import budget_of, effort_of

_BUDGET_LEAST = 1024


class Thinking(msgspec.Struct, frozen=True):
    """What is to be written: a model's own fields, and the effort in `outputConfig`."""

    fields: dict[str, Any] = {}
    effort: str = ""

    @property
    def excludes_sampling(self) -> bool:
        """Tell whether the model refuses sampling parameters beside it."""
        return "thinking" in self.fields


NO_THINKING = Thinking()


def plan_thinking(
    reasoning: Reasoning | None, upstream: Upstream, losses: Losses, *, cap: int | None, tools_are_forced: bool
) -> Thinking:
    """Return how to ask for it; nothing where it is off, which it is where nobody asks."""
    if reasoning is None or not _is_wanted(reasoning):
        return NO_THINKING
    if not upstream.capabilities.has(Feature.REASONING):
        losses.miss("reasoning")
        return NO_THINKING
    planned = _plan(reasoning, upstream.model, cap=cap, tools_are_forced=tools_are_forced)
    if planned is None:
        losses.miss("reasoning")
    return planned or NO_THINKING


def _is_wanted(reasoning: Reasoning) -> bool:
    if reasoning.effort == "none" or reasoning.budget_tokens == 0:
        return False
    return reasoning.adaptive or reasoning.effort is not None or reasoning.budget_tokens is not None


def _plan(reasoning: Reasoning, model: str, *, cap: int | None, tools_are_forced: bool) -> Thinking | None:
    effort = _effort(reasoning)
    if is_claude(model):
        return None if tools_are_forced else _plan_claude(reasoning, model, effort, cap)
    if is_nova_reasoner(model):
        config = {"type": "enabled", "maxReasoningEffort": _of_three(effort or "medium")}
        return Thinking({"reasoningConfig": config})
    return Thinking({"reasoning_effort": _of_three(effort or "medium")}) if is_gpt(model) else None


def _plan_claude(reasoning: Reasoning, model: str, effort: Effort | None, cap: int | None) -> Thinking | None:
    if reasoning.adaptive or thinks_adaptively(model):
        return Thinking({"thinking": {"type": "adaptive"}}, "low" if effort == "minimal" else effort or "")
    budget_tokens = max(reasoning.budget_tokens or budget_of(effort or "medium"), _BUDGET_LEAST)
    if cap is not None:
        budget_tokens = min(budget_tokens, cap - 1)  # the answer's cap counts its thoughts too
    if budget_tokens < _BUDGET_LEAST:
        return None
    return Thinking({"thinking": {"type": "enabled", "budget_tokens": budget_tokens}})


def _effort(reasoning: Reasoning) -> Effort | None:
    if reasoning.effort is not None or reasoning.budget_tokens is None:
        return reasoning.effort
    return effort_of(reasoning.budget_tokens)


def _of_three(effort: Effort) -> str:
    return {"minimal": "low", "xhigh": "high"}.get(effort, effort)
