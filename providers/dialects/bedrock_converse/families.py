"""Which family a model belongs to: Converse gives all of them one form, but for a few fields of their own.

A model is known by its id (`us.anthropic.claude-sonnet-4-5-20250929-v1:0`). An application's inference profile tells
nothing of its model; it gets only what every family understands.
"""

import re

_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2})(?!\d))?")
_ADAPTIVE_SINCE = (4, 6)


def is_claude(model: str) -> bool:
    """Tell whether Anthropic made the model."""
    return "claude" in model or "anthropic" in model


def is_nova(model: str) -> bool:
    """Tell whether it is one of Amazon's Nova models."""
    return "amazon.nova" in model


def is_nova_reasoner(model: str) -> bool:
    """Tell whether it is a Nova model that can think before it answers (Nova 2)."""
    return "amazon.nova-2" in model


def is_gpt(model: str) -> bool:
    """Tell whether it is one of OpenAI's open models."""
    return "openai.gpt" in model


def thinks_adaptively(model: str) -> bool:
    """Tell whether a Claude takes an effort rather than a budget to think with.

    Claude Opus 4.6 deprecates budgets, and later ones refuse them (anthropic 2.11's warnings, November 2026).
    """
    found = _CLAUDE.search(model)
    return found is None or (int(found[1]), int(found[2] or 0)) >= _ADAPTIVE_SINCE
