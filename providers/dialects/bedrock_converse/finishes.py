"""Why an answer ended, in Converse's words (botocore 1.44's StopReason)."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.dialects.conversation import Finish

_FINISHES: Mapping[str, Finish] = MappingProxyType(
    {
        "end_turn": Finish.STOP,
        "tool_use": Finish.TOOL_CALLS,
        "max_tokens": Finish.LENGTH,
        "stop_sequence": Finish.STOP_SEQUENCE,
        "guardrail_intervened": Finish.CONTENT_FILTER,
        "content_filtered": Finish.CONTENT_FILTER,
        "malformed_model_output": Finish.ERROR,
        "malformed_tool_use": Finish.ERROR,
        "model_context_window_exceeded": Finish.CONTEXT,
        "refusal": Finish.REFUSAL,  # Claude's own words; the enumeration lacks them, models have sent them
        "pause_turn": Finish.PAUSE,
    }
)


def read_finish(reason: str) -> Finish:
    """Return why an answer ended; a reason nobody knows counts as an ordinary end unless it names filter or length."""
    known = _FINISHES.get(reason)
    if known is not None:
        return known
    if "filter" in reason or "guardrail" in reason:
        return Finish.CONTENT_FILTER
    return Finish.LENGTH if "length" in reason or "max_tokens" in reason else Finish.STOP
