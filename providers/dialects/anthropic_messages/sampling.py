"""How an answer is drawn, as far as Anthropic lets anyone say.

`temperature` ends at 1; with thinking it can't be changed, nor can `top_k`, and `top_p` not below 0.95 (Anthropic's
page on extended thinking, November 2026). There are no penalties, no seed, no log probabilities and one answer a call.
"""

from typing import Any

from providers.dialects.anthropic_messages.versions import body_version
from providers.dialects.canonical import Dialect, Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import Request

_LEAST_TOP_P_THINKING = 0.95


def write_sampling(request: Request, upstream: Upstream, *, thinks: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields that can be said, and the names of those that matter and can't be."""
    asked = _asked(request)
    lost = _never_said(request)
    if body_version(upstream.api_version).strict or not upstream.capabilities.has(Feature.SAMPLING):
        matters = [name for name, value in asked.items() if value != 1 or name == "top_k"]
        return {}, (*matters, *lost)
    dropped = [name for name, value in asked.items() if thinks and _disturbs_thinking(name, value)]
    written = {name: value for name, value in asked.items() if name not in dropped}
    if written.get("temperature", 0) > 1:
        written["temperature"] = 1
        dropped.append("temperature")
    return written, (*dropped, *lost)


def _asked(request: Request) -> dict[str, float]:
    asked = {"temperature": request.temperature, "top_p": request.top_p, "top_k": request.top_k}
    said = {name: value for name, value in asked.items() if value is not None}
    if request.dialect is not Dialect.ANTHROPIC and said.get("top_p") == 1:
        del said["top_p"]  # newer models refuse it beside a temperature, and it says nothing
    return said


def _disturbs_thinking(name: str, value: float) -> bool:
    if name == "top_p":
        return value < _LEAST_TOP_P_THINKING
    return name == "top_k" or value != 1


def _never_said(request: Request) -> tuple[str, ...]:
    wishes = {
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
        "seed": request.seed is not None,
        "n": request.n is not None and request.n > 1,
        "logprobs": request.logprobs,
        "top_logprobs": request.top_logprobs,
    }
    return tuple(name for name, wish in wishes.items() if wish)
