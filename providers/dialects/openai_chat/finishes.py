"""Why an answer ended, in OpenAI's five words and the others that servers of its dialect use."""

from collections.abc import Mapping

from providers.dialects.conversation import Finish

_READ: Mapping[str, Finish] = {
    "stop": Finish.STOP,
    "eos": Finish.STOP,
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP_SEQUENCE,
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "model_length": Finish.CONTEXT,  # Mistral's
    "tool_calls": Finish.TOOL_CALLS,
    "tool_use": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "content_filter": Finish.CONTENT_FILTER,
    "error": Finish.ERROR,  # OpenRouter's and Mistral's
}
_WRITTEN: Mapping[Finish, str] = {
    Finish.LENGTH: "length",
    Finish.CONTEXT: "length",
    Finish.TOOL_CALLS: "tool_calls",
    Finish.CONTENT_FILTER: "content_filter",
    Finish.REFUSAL: "content_filter",
}


def read_finish(reason: str, *, refused: bool, has_calls: bool, stop_sequence: str = "") -> Finish:
    """Return why a choice ended; a `stop` says more by what came before it.

    A call that the client had demanded ends with `stop` (OpenAI's specification 2.3.0), and some servers say so for
    every call. A refusal has no reason of its own. `stop_sequence` is vLLM's `stop_reason`.
    """
    finish = _READ.get(reason) or _guess(reason)
    if finish is not Finish.STOP:
        return finish
    if has_calls:
        return Finish.TOOL_CALLS
    if refused:
        return Finish.REFUSAL
    return Finish.STOP_SEQUENCE if stop_sequence else Finish.STOP


def write_finish(finish: Finish, *, refused: bool) -> str:
    """Return the `finish_reason`; a refusal that stands in the message ends as any other words do."""
    if finish is Finish.REFUSAL and refused:
        return "stop"
    return _WRITTEN.get(finish, "stop")


def _guess(reason: str) -> Finish:
    lower = reason.lower()
    if "filter" in lower or "safety" in lower:
        return Finish.CONTENT_FILTER
    return Finish.LENGTH if "length" in lower or "max_tokens" in lower else Finish.STOP
