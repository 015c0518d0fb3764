"""Anthropic's error envelope, read and written: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

The gateway's code stands in `error.details.error_code`, where the vendor has the names of its own causes; the field at
fault in `error.details.param`. An exceeded budget is told as the vendor's spend limit, which clients don't try again
(types and statuses: Anthropic's page on errors, November 2026; anthropic-python 2.11, `_error_classes.py`).
"""

from typing import Any

import msgspec

from kernel.errors import BudgetExceeded, GatewayError, UpstreamBroken
from providers.dialects.codec import ErrorReport, HeaderOf

SPEND_LIMIT = "enforced_spend_limit_reached"
OVERLOADED = 529

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    OVERLOADED: "overloaded_error",
}
_CODES = {
    "authentication_error": "invalid_api_key",
    "permission_error": "permission_denied",
    "billing_error": "insufficient_quota",
    "rate_limit_error": "rate_limit_exceeded",
    "overloaded_error": "upstream_overloaded",
    "invalid_request_error": "invalid_request",
    "timeout_error": "upstream_timeout",
    "not_found_error": "not_found",
}
_RETRYABLE = {"overloaded_error": True, "timeout_error": True, "api_error": True}
_SPENT = (SPEND_LIMIT, "contract_spend_limit_reached", "linked_organization_spend_limit_reached")
_WORDS = (  # what the message alone tells
    ("prompt is too long", "context_length_exceeded"),
    ("context limit", "context_length_exceeded"),
    ("context window", "context_length_exceeded"),
    ("content filtering policy", "content_filter"),
    ("credit balance is too low", "insufficient_quota"),
)


class _Inner(msgspec.Struct):
    message: Any = None
    type: Any = None
    details: Any = None


class _Envelope(msgspec.Struct):
    type: Any = None
    error: _Inner | None = None


_envelope = msgspec.json.Decoder(_Envelope)


def status_of(error: GatewayError) -> int:
    """Return the status: what is overloaded has one of its own here."""
    return OVERLOADED if error.status == 503 or error.code == "upstream_overloaded" else error.status


def encode_error(error: GatewayError, *, request_id: str) -> bytes:
    """Write an error as Anthropic would."""
    spent = isinstance(error, BudgetExceeded)
    details = {"error_code": SPEND_LIMIT if spent else error.code}
    if error.param:
        details["param"] = error.param
    inner = {"type": _type_of(status_of(error)), "message": error.message, "details": details}
    return msgspec.json.encode({"type": "error", "error": inner, "request_id": request_id})


def read_error(status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
    """Return what an error answer says; None where it is none of the dialect's."""
    found = _read(body)
    if found is None:
        return None
    inner, own = found
    kind = inner.type if isinstance(inner.type, str) else _type_of(status)
    message = inner.message if isinstance(inner.message, str) else "the provider gave no reason"
    code = _code_of(kind, message, inner.details)
    retryable = None if code == "insufficient_quota" else _told_to_retry(header, _RETRYABLE.get(kind))
    return ErrorReport(message, code, retryable, _seconds(header(b"retry-after")), own_envelope=own)


def stream_error(data: bytes) -> UpstreamBroken:
    """Return the error that an `error` event of a stream reports."""
    found = _read(data)
    if found is None:
        return UpstreamBroken("the provider reported an error in the stream", code="upstream_error")
    inner, _ = found
    kind = inner.type if isinstance(inner.type, str) else "upstream_error"
    message = inner.message if isinstance(inner.message, str) else "the provider reported an error in the stream"
    return UpstreamBroken(message, code=_code_of(kind, message, inner.details))


def _type_of(status: int) -> str:
    return _TYPES.get(status) or ("invalid_request_error" if status < 500 else "api_error")


def _read(body: bytes) -> tuple[_Inner, bool] | None:
    """Return the inside of the envelope, and whether clients of the dialect understand it as it is."""
    try:
        envelope = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    inner = envelope.error
    if inner is None or not (envelope.type == "error" or isinstance(inner.type, str)):
        return None
    return inner, envelope.type == "error" and isinstance(inner.message, str)


def _code_of(kind: str, message: str, details: Any) -> str:
    cause = details.get("error_code") if isinstance(details, dict) else None
    if cause in _SPENT:
        return "insufficient_quota"
    lowered = message.lower()
    for words, code in _WORDS:
        if words in lowered:
            return code
    if kind == "not_found_error" and "model" in lowered:
        return "model_not_found"
    return _CODES.get(kind) or kind


def _told_to_retry(header: HeaderOf, usual: bool | None) -> bool | None:
    told = header(b"x-should-retry")
    return usual if told not in (b"true", b"false") else told == b"true"


def _seconds(value: bytes | None) -> float | None:
    try:
        seconds = float(value) if value is not None else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < float("inf") else None
