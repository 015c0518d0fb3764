"""Why an answer ended, both ways (anthropic-python 2.11, `types/stop_reason.py`)."""

from collections.abc import Mapping

from providers.dialects.conversation import Finish

_REASONS: Mapping[Finish, str] = {
    Finish.STOP: "end_turn",
    Finish.STOP_SEQUENCE: "stop_sequence",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL_CALLS: "tool_use",
    Finish.CONTENT_FILTER: "refusal",
    Finish.REFUSAL: "refusal",
    Finish.PAUSE: "pause_turn",
    Finish.CONTEXT: "model_context_window_exceeded",
    Finish.ERROR: "end_turn",
}
_FINISHES = {reason: finish for finish, reason in _REASONS.items() if finish is not Finish.ERROR}


def read_finish(reason: str) -> Finish:
    """Return the finish that a reason stands for; a new one says of itself whether it is a filter or a limit."""
    known = _FINISHES.get(reason)
    if known is not None:
        return known
    if "filter" in reason or "refus" in reason:
        return Finish.CONTENT_FILTER
    return Finish.LENGTH if "max" in reason or "length" in reason else Finish.STOP


def write_reason(finish: Finish) -> str:
    """Return the reason that clients are told."""
    return _REASONS[finish]
