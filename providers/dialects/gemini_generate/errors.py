"""Google's error envelope, read and written: `{"error": {"code", "message", "status", "details"}}`.

Details are typed by `@type` (google.rpc's ErrorInfo, RetryInfo, QuotaFailure); the gateway's own code, the field and
the request's id stand in an ErrorInfo. In an array stream the envelope stands in an array
(aip.dev/193, November 2026 [mem]).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from kernel.errors import GatewayError
from providers.dialects.codec import ErrorReport, HeaderOf

DOMAIN = "llm-gateway"
_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_RETRY = "type.googleapis.com/google.rpc.RetryInfo"

_STATUSES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_CODES: Mapping[str, str] = {
    "INVALID_ARGUMENT": "invalid_request",
    "UNAUTHENTICATED": "invalid_api_key",
    "PERMISSION_DENIED": "permission_denied",
    "NOT_FOUND": "model_not_found",
    "RESOURCE_EXHAUSTED": "rate_limit_exceeded",
    "UNAVAILABLE": "upstream_overloaded",
}
_TOO_LONG = ("exceeds the maximum number of tokens", "input token count", "context window")


class _Detail(msgspec.Struct, rename="camel"):
    type: Any = msgspec.field(name="@type", default=None)
    reason: Any = None
    domain: Any = None
    retry_delay: Any = None
    violations: Any = None


class _Error(msgspec.Struct):
    code: Any = None
    message: Any = None
    status: Any = None
    details: Any = None


class _Envelope(msgspec.Struct):
    error: _Error


_envelope: "msgspec.json.Decoder[_Envelope | list[_Envelope]]" = msgspec.json.Decoder(_Envelope | list[_Envelope])


def encode_error(error: GatewayError, *, request_id: str) -> bytes:
    """Return the envelope; Google's clients know the gateway's own statuses."""
    status = error.status
    inner = {
        "code": status,
        "message": error.message,
        "status": _STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT"),
        "details": _write_details(error, request_id),
    }
    return msgspec.json.encode({"error": inner})


def read_error(status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
    """Return what an error answer says; None where it is none of Google's."""
    error = _decode(body)
    if error is None or not isinstance(error.message, str):
        return None
    word = error.status if isinstance(error.status, str) else _STATUSES.get(status, "")
    details = _read_details(error.details)
    return ErrorReport(
        message=error.message,
        code=_code_of(word, error.message, details),
        retry_after_s=_retry_after_s(details, header),
        own_envelope=body.lstrip()[:1] == b"{",
    )


def _decode(body: bytes) -> _Error | None:
    try:
        envelope = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(envelope, list):
        return envelope[0].error if envelope else None
    return envelope.error


def _read_details(details: Any) -> list[_Detail]:
    if not isinstance(details, list):
        return []
    return [msgspec.convert(detail, _Detail) for detail in details if isinstance(detail, dict)]


def _code_of(word: str, message: str, details: list[_Detail]) -> str:
    """Return the gateway's code, which another gateway of its kind says itself."""
    for detail in details:
        if detail.domain == DOMAIN and isinstance(detail.reason, str):
            return detail.reason.lower()
        if detail.reason == "API_KEY_INVALID":
            return "invalid_api_key"
    if word == "INVALID_ARGUMENT" and any(phrase in message.lower() for phrase in _TOO_LONG):
        return "context_length_exceeded"
    if word == "RESOURCE_EXHAUSTED" and any("PerDay" in str(detail.violations) for detail in details):
        return "insufficient_quota"
    return _CODES.get(word, word.lower() or "upstream_error")


def _retry_after_s(details: list[_Detail], header: HeaderOf) -> float | None:
    """Return the seconds to wait: `"46s"` in the details, else the header's."""
    said = [detail.retry_delay.removesuffix("s") for detail in details if isinstance(detail.retry_delay, str)]
    said.append((header(b"retry-after") or b"").decode("latin-1"))
    for text in said:
        if text and text.replace(".", "", 1).isdecimal():
            return float(text)
    return None


def _write_details(error: GatewayError, request_id: str) -> list[dict[str, Any]]:
    metadata = {"requestId": request_id}
    if error.param is not None:
        metadata["param"] = error.param
    details: list[dict[str, Any]] = [
        {"@type": _INFO, "reason": error.code.upper(), "domain": DOMAIN, "metadata": metadata}
    ]
    if error.retry_after_s is not None:
        details.append({"@type": _RETRY, "retryDelay": f"{error.retry_after_s:g}s"})
    return details
