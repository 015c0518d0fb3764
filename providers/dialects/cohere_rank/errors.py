"""Cohere's errors, `{"message": "…"}`, read and written; Jina's are `{"detail": "…"}`.

Source: Cohere, errors (November 2026), and cohere-python 5, `core/api_error.py`.
"""

from typing import Any

import msgspec

from kernel.errors import GatewayError
from providers.dialects.codec import ErrorReport, HeaderOf

_CODES = {
    401: "invalid_api_key",
    403: "permission_denied",
    404: "model_not_found",
    402: "insufficient_quota",
    429: "rate_limit_exceeded",
    498: "content_filter",  # "blocked input or output"
    503: "upstream_overloaded",
}


class _Envelope(msgspec.Struct):
    message: Any = None
    detail: Any = None
    id: Any = None


_envelope = msgspec.json.Decoder(_Envelope)


def encode_error(error: GatewayError, *, request_id: str) -> bytes:
    """Return an error as Cohere would tell it, with the gateway's code and request id besides."""
    fields = {"id": request_id, "message": error.message, "code": error.code}
    return msgspec.json.encode(fields | ({"param": error.param} if error.param else {}))


def read_error(status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
    """Return what an error answer says; None where it is none of the dialect's."""
    try:
        envelope = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    own = isinstance(envelope.message, str)
    message = envelope.message if own else envelope.detail
    if not isinstance(message, str):
        return None
    code = _CODES.get(status, "upstream_overloaded" if status >= 500 else "invalid_request")
    if status == 400 and "too long" in message:
        code = "context_length_exceeded"
    if status == 429 and ("trial key" in message or "monthly" in message):
        code = "insufficient_quota"
    return ErrorReport(message, code, own_envelope=own)
