"""Why an answer ended, as a response's `status` and `incomplete_details` say it."""

from collections.abc import Iterable

from providers.dialects.conversation import Finish

CALLS = frozenset({"function_call", "custom_tool_call"})

_INCOMPLETE = {
    Finish.LENGTH: "max_output_tokens",
    Finish.CONTEXT: "max_output_tokens",
    Finish.CONTENT_FILTER: "content_filter",
}
_REASONS = {
    "max_output_tokens": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "length": Finish.LENGTH,
    "content_filter": Finish.CONTENT_FILTER,
}


def incomplete_reason(finish: Finish) -> str | None:
    """Return why a response is incomplete; None for one that is whole."""
    return _INCOMPLETE.get(finish)


def status_of(finish: Finish) -> str:
    """Return the response's status."""
    if finish is Finish.ERROR:
        return "failed"
    return "incomplete" if finish in _INCOMPLETE else "completed"


def read_finish(status: str, reason: str, kinds: Iterable[str]) -> Finish:
    """Return the hub's word for a response's end; `kinds` are the types of its items and of the parts of messages."""
    if status == "incomplete":
        return _REASONS.get(reason, Finish.STOP)
    if status in ("failed", "cancelled"):
        return Finish.ERROR
    found = set(kinds)
    if found & CALLS:
        return Finish.TOOL_CALLS
    return Finish.REFUSAL if "refusal" in found else Finish.STOP
