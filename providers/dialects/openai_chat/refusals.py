"""What an error answer of a server of this dialect means, in the gateway's words.

Codes are OpenAI's (its error guide, November 2026) and those of servers that follow it: Azure's, Mistral's, Groq's,
OpenRouter's, DeepSeek's. Where a server gives no code, its status tells, and of what it says the few phrases that
several servers share.
"""

import re
from collections.abc import Mapping
from math import isfinite

from providers.dialects.codec import ErrorReport, HeaderOf
from providers.dialects.openai_chat.errors import is_envelope, read_error

_CODES: Mapping[str, str] = {
    "context_length_exceeded": "context_length_exceeded",
    "string_above_max_length": "context_length_exceeded",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
    "ResponsibleAIPolicyViolation": "content_filter",
    "insufficient_quota": "insufficient_quota",
    "billing_hard_limit_reached": "insufficient_quota",
    "billing_not_active": "insufficient_quota",
    "rate_limit_exceeded": "rate_limit_exceeded",
    "model_not_found": "model_not_found",
    "DeploymentNotFound": "model_not_found",
    "invalid_model": "model_not_found",
    "invalid_api_key": "invalid_api_key",
    "invalid_request_error": "invalid_request",
    "server_busy": "upstream_overloaded",
    "engine_overloaded": "upstream_overloaded",
    "engine_overloaded_error": "upstream_overloaded",
    "overloaded_error": "upstream_overloaded",
}
_STATUSES: Mapping[int, str] = {
    401: "invalid_api_key",
    402: "insufficient_quota",
    403: "permission_denied",
    429: "rate_limit_exceeded",
    503: "upstream_overloaded",
    529: "upstream_overloaded",
}
_TOO_LONG = re.compile(r"(?i)context.{0,10}(length|window)|maximum context|too many tokens|prompt is too long")
_NO_MODEL = re.compile(r"(?i)model.*(not (exist|found)|does not exist|invalid)|(invalid|unknown) model")
_NEVER_AGAIN = ("content_filter", "context_length_exceeded")


def read_report(status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
    """Return what an error answer says; None where it is no error of this dialect."""
    found = read_error(body)
    if found is None:
        return None
    message, own_code = found
    code = _code_of(status, own_code, message)
    return ErrorReport(
        message=message,
        code=code,
        retryable=False if code in _NEVER_AGAIN else None,
        retry_after_s=_read_wait(header),
        own_envelope=is_envelope(body),
    )


def _code_of(status: int, own_code: str, message: str) -> str:
    known = _CODES.get(own_code, "")
    if known and known != "invalid_request":
        return known
    if status in _STATUSES:
        return _STATUSES[status]
    if status < 500 and _TOO_LONG.search(message):
        return "context_length_exceeded"
    if status in (400, 404) and _NO_MODEL.search(message):
        return "model_not_found"
    if known or not own_code or own_code.isdigit():
        return "invalid_request" if status < 500 else "upstream_error"
    return own_code


def _read_wait(header: HeaderOf) -> float | None:
    milliseconds = _read_number(header(b"retry-after-ms"))
    return milliseconds / 1000 if milliseconds is not None else _read_number(header(b"retry-after"))


def _read_number(value: bytes | None) -> float | None:
    try:
        number = float(value or b"")
    except ValueError:
        return None
    return max(0.0, number) if isfinite(number) else None
