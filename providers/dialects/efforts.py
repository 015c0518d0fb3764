"""How many tokens of thinking an effort stands for, where a vendor counts in the other unit.

Google's mapping of `reasoning_effort` for its OpenAI-compatible endpoint (its documentation, November 2026); `xhigh` is
this gateway's.
"""

from providers.dialects.conversation import Effort

_BUDGETS: tuple[tuple[Effort, int], ...] = (
    ("none", 0),
    ("minimal", 1_024),
    ("low", 1_024),
    ("medium", 8_192),
    ("high", 24_576),
    ("xhigh", 32_768),
)
_BY_EFFORT = dict(_BUDGETS)


def budget_of(effort: Effort) -> int:
    """Return the tokens of thinking that an effort stands for; 0 for none."""
    return _BY_EFFORT[effort]


def effort_of(budget_tokens: int) -> Effort:
    """Return the least effort that allows so many tokens of thinking, the highest where none does."""
    if budget_tokens <= 0:
        return "none"
    return next((effort for effort, budget in _BUDGETS[2:] if budget_tokens <= budget), "xhigh")
