"""How much the model shall think: Anthropic's `thinking` and `output_config.effort`, both ways.

Older models take a budget in tokens, newer ones an effort, and think adaptively; those take no sampling fields either,
and the API of 2026-10-21 is theirs (anthropic-python 2.11, `types/thinking_config_*_param.py` and
`types/output_config_param.py`).
"""

from typing import Any, Literal, TypeAlias

import msgspec

from providers.dialects.anthropic_messages.patching import LEAST_BUDGET_TOKENS
from providers.dialects.anthropic_messages.versions import body_version
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import Effort, Reasoning, Request, Thinking
from providers.dialects.efforts import budget_of, effort_of

WireEffort: TypeAlias = Literal["low", "medium", "high", "xhigh", "max"]

_EFFORTS: dict[Effort, WireEffort] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
}
_USUAL_EFFORT: Effort = "medium"


class WireThinking(msgspec.Struct):
    """The `thinking` field."""

    type: str
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


class Written(msgspec.Struct, frozen=True):
    """What is to be said of reasoning: the `thinking` object, the effort, and whether the wish could not be kept."""

    thinking: dict[str, Any] | None = None
    effort: WireEffort | None = None
    lost: bool = False

    @property
    def is_on(self) -> bool:
        """Tell whether the model was told to think."""
        return self.thinking is not None and self.thinking["type"] != "disabled"


def read_reasoning(thinking: WireThinking | None, effort: WireEffort | None) -> Reasoning | None:
    """Return what is asked; None where nothing is, or only what no other vendor has."""
    level: Effort | None = "xhigh" if effort == "max" else effort
    if thinking is None or thinking.type not in ("enabled", "adaptive", "disabled"):
        return Reasoning(effort=level) if level else None
    summary = {"summarized": "auto", "omitted": "none"}.get(thinking.display or "", "")
    if thinking.type == "disabled":
        return Reasoning(effort=level, budget_tokens=0)
    if thinking.type == "adaptive":
        return Reasoning(effort=level, adaptive=True, summary=summary)
    return Reasoning(effort=level, budget_tokens=thinking.budget_tokens or LEAST_BUDGET_TOKENS, summary=summary)


def write_reasoning(request: Request, upstream: Upstream, max_tokens: int) -> Written:
    """Return what is to be said for a request whose answer may have `max_tokens`, thoughts included."""
    reasoning = request.reasoning
    if reasoning is None:
        return Written()
    if not upstream.capabilities.has(Feature.REASONING):
        return Written(lost=not _is_off(reasoning))
    if request.dialect is Dialect.ANTHROPIC:
        return _write_own(request, reasoning, max_tokens)
    if _is_off(reasoning):
        return Written(thinking={"type": "disabled"})
    return Written(lost=True) if _is_forced(request) else _write_foreign(request, reasoning, upstream, max_tokens)


def _write_foreign(request: Request, reasoning: Reasoning, upstream: Upstream, max_tokens: int) -> Written:
    if _thinks_adaptively(upstream.api_version, upstream.capabilities):
        return _write_adaptive(reasoning)
    return _write_budget(request, reasoning, max_tokens)


def _is_off(reasoning: Reasoning) -> bool:
    return not reasoning.adaptive and (
        reasoning.budget_tokens == 0 or (reasoning.budget_tokens is None and reasoning.effort in (None, "none"))
    )


def _is_forced(request: Request) -> bool:
    """A tool that has to be called and thinking exclude each other."""
    return request.tool_choice is not None and request.tool_choice.mode in ("required", "named")


def _thinks_adaptively(api_version: str, capabilities: Capabilities) -> bool:
    return body_version(api_version).strict or not capabilities.has(Feature.SAMPLING)


def _budget(reasoning: Reasoning) -> int:
    return reasoning.budget_tokens or budget_of(reasoning.effort or _USUAL_EFFORT)


def _write_own(request: Request, reasoning: Reasoning, max_tokens: int) -> Written:
    effort = _EFFORTS.get(reasoning.effort) if reasoning.effort else None
    if reasoning.adaptive:
        return Written(thinking=_shown({"type": "adaptive"}, reasoning), effort=effort)
    if reasoning.budget_tokens is None:
        return Written(effort=effort)
    if reasoning.budget_tokens == 0:
        return Written(thinking={"type": "disabled"}, effort=effort)
    return msgspec.structs.replace(_write_budget(request, reasoning, max_tokens), effort=effort)


def _write_adaptive(reasoning: Reasoning) -> Written:
    effort = reasoning.effort or (effort_of(reasoning.budget_tokens) if reasoning.budget_tokens else None)
    return Written(thinking=_shown({"type": "adaptive"}, reasoning), effort=_EFFORTS[effort] if effort else None)


def _write_budget(request: Request, reasoning: Reasoning, max_tokens: int) -> Written:
    allowed = min(max(_budget(reasoning), LEAST_BUDGET_TOKENS), max_tokens - 1)
    if allowed < LEAST_BUDGET_TOKENS or _lacks_thoughts(request):
        return Written(thinking={"type": "disabled"}, lost=True)
    return Written(thinking=_shown({"type": "enabled", "budget_tokens": allowed}, reasoning))


def _lacks_thoughts(request: Request) -> bool:
    """With a budget, calls whose results are given have to stand behind the thoughts that led to them.

    Another vendor's thoughts can't be given, nor can those that a client left out. Adaptive thinking doesn't ask for
    them (Anthropic's pages on extended and on adaptive thinking, November 2026).
    """
    if not request.messages or request.messages[-1].role != "tool":
        return False
    turn = next((message for message in reversed(request.messages) if message.role == "assistant"), None)
    return turn is not None and not any(
        isinstance(part, Thinking)
        and bool(part.signature or part.redacted)
        and part.dialect in (None, Dialect.ANTHROPIC)
        for part in turn.parts
    )


def _shown(thinking: dict[str, Any], reasoning: Reasoning) -> dict[str, Any]:
    if reasoning.summary:
        thinking["display"] = "omitted" if reasoning.summary == "none" else "summarized"
    return thinking
