"""OpenAI's error envelope, which the Responses API shares, and what its codes mean in the gateway's words.

Codes and types from OpenAI's guide to error codes (November 2026); followers put the code in `type`.
"""

from typing import Any

import msgspec

from kernel.errors import GatewayError
from providers.dialects.codec import ErrorReport, HeaderOf
from providers.dialects.openai_chat import errors as envelope

_CODES = {
    "context_length_exceeded": "context_length_exceeded",
    "string_above_max_length": "context_length_exceeded",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
    "invalid_prompt": "content_filter",
    "bio_policy": "content_filter",
    "rate_limit_exceeded": "rate_limit_exceeded",
    "rate_limit_error": "rate_limit_exceeded",
    "insufficient_quota": "insufficient_quota",
    "billing_hard_limit_reached": "insufficient_quota",
    "model_not_found": "model_not_found",
    "invalid_api_key": "invalid_api_key",
    "server_overloaded": "upstream_overloaded",
    "overloaded": "upstream_overloaded",
    "slow_down": "upstream_overloaded",
    "server_is_overloaded": "upstream_overloaded",
}
_BY_STATUS = {401: "invalid_api_key", 403: "permission_denied", 429: "rate_limit_exceeded", 503: "upstream_overloaded"}
_NOT_RETRYABLE = frozenset({"context_length_exceeded", "content_filter"})
# What `error.code` of a response may be (openai-python 3.52, ResponseError); any other is a server_error.
_RESPONSE_CODES = frozenset({"server_error", "rate_limit_exceeded", "invalid_prompt", "invalid_image"})


def read_error(status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
    """Return what an error answer says; None where it is none."""
    said = envelope.read_error(body)
    if said is None:
        return None
    message, own_code = said
    code = code_of(own_code, status)
    return ErrorReport(
        message=message,
        code=code,
        retryable=False if code in _NOT_RETRYABLE else None,
        own_envelope=envelope.is_envelope(body),
    )


def code_of(own_code: str, status: int = 0) -> str:
    """Return the gateway's code for a provider's, with the status where that says more; else the provider's own."""
    known = _CODES.get(own_code) or _BY_STATUS.get(status)
    if known is not None:
        return known
    if own_code:
        return own_code
    return "invalid_request" if status in (400, 422) else ""


def response_error(error: GatewayError) -> dict[str, Any]:
    """Return the `error` of a failed response; its codes are few, the `error` event has the true one."""
    code = error.code if error.code in _RESPONSE_CODES else "server_error"
    return {"code": code, "message": error.message}


def error_event(error: GatewayError, *, request_id: str, sequence_number: int) -> bytes:
    """Return the data of an `error` event: flat as in OpenAI's reference, and nested as its servers send it.

    openai-python raises for the nested one and only hands out the flat one (3.52, `_streaming.py`).
    """
    flat = {"code": error.code, "message": error.message, "param": error.param}
    nested = {"type": error.type, **flat, "request_id": request_id}
    return msgspec.json.encode({"type": "error", "sequence_number": sequence_number, **flat, "error": nested})
