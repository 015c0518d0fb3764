"""Errors as Bedrock's runtime reports them: `{"message"}`, with the type in a header, in the body, or in a frame.

The header is `x-amzn-ErrorType`, perhaps with `:http://…` behind the type; the body's field is `__type`, perhaps with
`…#` before it (Smithy's AWS restJson1; types from botocore 1.44's bedrock-runtime and the common errors of AWS).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from providers.dialects.codec import ErrorReport, HeaderOf

# What may come of another try is told by the status, but where it says something else here.
_CODES: Mapping[str, tuple[str, bool | None]] = MappingProxyType(
    {
        "AccessDenied": ("permission_denied", None),
        "ExpiredToken": ("invalid_api_key", None),
        "IncompleteSignature": ("invalid_api_key", None),
        "InternalServer": ("upstream_overloaded", True),
        "InvalidClientTokenId": ("invalid_api_key", None),
        "InvalidSignature": ("invalid_api_key", None),
        "MissingAuthenticationToken": ("invalid_api_key", None),
        "ModelError": ("upstream_error", True),
        "ModelNotReady": ("upstream_overloaded", True),
        "ModelStreamError": ("upstream_error", True),
        "ModelTimeout": ("upstream_timeout", True),
        "NotAuthorized": ("permission_denied", None),
        "ResourceNotFound": ("model_not_found", None),
        "ServiceQuotaExceeded": ("insufficient_quota", True),
        "ServiceUnavailable": ("upstream_overloaded", True),
        "Throttling": ("rate_limit_exceeded", True),
        "TooManyRequests": ("rate_limit_exceeded", True),
        "UnrecognizedClient": ("invalid_api_key", None),
        "Validation": ("invalid_request", None),
    }
)
_TOO_LONG = re.compile(
    r"(input|prompt|request) is too long|too many (input )?tokens|maximum context|context (length|limit|window)"
    r"|input tokens? exceed|number of input tokens|inputText.*maxLength|maxLength.*inputText",
    re.IGNORECASE | re.DOTALL,
)
_FILTERED = re.compile(r"content filter|content policy|responsible AI polic", re.IGNORECASE)
_UNKNOWN_MODEL = re.compile(r"model identifier is invalid|could not resolve the foundation model", re.IGNORECASE)


class _Body(msgspec.Struct):
    """Every spelling of an error that servers of this API are known to send."""

    message: Any = None
    Message: Any = None
    type_: Any = msgspec.field(name="__type", default=None)
    code: Any = None
    error: Any = None


_body = msgspec.json.Decoder(_Body)


def read_error(status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
    """Return what an error answer says; None where it is no such answer."""
    try:
        wire = _body.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    inner = wire.error if isinstance(wire.error, dict) else {}
    kind = next(filter(None, map(_as_text, (_header_type(header), wire.type_, wire.code, inner.get("type")))), "")
    message = next(filter(None, map(_as_text, (wire.message, wire.Message, inner.get("message")))), "")
    if not kind and not message:
        return None
    return describe(kind, message)


def describe(kind: str, message: str) -> ErrorReport:
    """Return what an error of a type means, such as `ThrottlingException` or a stream's `throttlingException`."""
    name = kind.partition(":")[0].rpartition("#")[2].removesuffix("Exception")
    name = name[:1].upper() + name[1:]
    code, retryable = _CODES.get(name, (name, None))
    if code == "invalid_request":
        code = _refine(message)
    return ErrorReport(message or f"the provider reported {kind}", code, retryable=retryable)


def _refine(message: str) -> str:
    """Return what is wrong with a request, which only its message says."""
    if _TOO_LONG.search(message):
        return "context_length_exceeded"
    if _FILTERED.search(message):
        return "content_filter"
    return "model_not_found" if _UNKNOWN_MODEL.search(message) else "invalid_request"


def _header_type(header: HeaderOf) -> str:
    return (header(b"x-amzn-errortype") or b"").decode("latin-1")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""
