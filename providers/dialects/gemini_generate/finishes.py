"""Why an answer ended, in Gemini's words (google-genai 3.4's FinishReason, November 2026)."""

from collections.abc import Mapping

from providers.dialects.conversation import Finish

_FILTERED = (
    *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
)
_MALFORMED = (
    *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"),
    "MALFORMED_RESPONSE",
)
_FINISHES: Mapping[str, Finish] = {
    "STOP": Finish.STOP,
    "MAX_TOKENS": Finish.LENGTH,
    **dict.fromkeys(_FILTERED, Finish.CONTENT_FILTER),
    **dict.fromkeys(_MALFORMED, Finish.ERROR),
}
_REASONS: Mapping[Finish, str] = {
    Finish.LENGTH: "MAX_TOKENS",
    Finish.CONTEXT: "MAX_TOKENS",
    Finish.CONTENT_FILTER: "SAFETY",
    Finish.REFUSAL: "SAFETY",
    Finish.ERROR: "MALFORMED_FUNCTION_CALL",
}


def read_finish(reason: str, *, has_calls: bool = False) -> Finish:
    """Return why a choice ended; calls of functions end with an ordinary STOP here.

    A reason nobody knows counts as an ordinary end unless it speaks of a filter or a length.
    """
    finish = _FINISHES.get(reason) or _guess(reason)
    return Finish.TOOL_CALLS if has_calls and finish is Finish.STOP else finish


def write_reason(finish: Finish) -> str:
    """Return Gemini's word for why a choice ended."""
    return _REASONS.get(finish, "STOP")


def _guess(reason: str) -> Finish:
    if any(word in reason for word in ("SAFETY", "FILTER", "BLOCK", "PROHIBITED", "RECITATION")):
        return Finish.CONTENT_FILTER
    return Finish.LENGTH if "LENGTH" in reason or "MAX_" in reason else Finish.STOP
