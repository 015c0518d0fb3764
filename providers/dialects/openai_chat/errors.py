"""OpenAI's error envelope, read and written: `{"error": {"message", "type", "param", "code"}}`, all four present."""

from typing import Any

import msgspec

from kernel.errors import GatewayError


class ErrorDetail(msgspec.Struct):
    """The inside of the envelope, with the request id added."""

    message: str
    type: str
    param: str | None
    code: str | None
    request_id: str


class _Envelope(msgspec.Struct):
    error: ErrorDetail


class _WireError(msgspec.Struct):
    message: Any = None
    type: Any = None
    code: Any = None


class _WireEnvelope(msgspec.Struct):
    error: _WireError | str | None = None
    message: Any = None
    detail: Any = None


_envelope = msgspec.json.Decoder(_WireEnvelope)


def encode_error(error: GatewayError, *, request_id: str) -> bytes:
    """Write an error as OpenAI would."""
    detail = ErrorDetail(
        message=error.message, type=error.type, param=error.param, code=error.code, request_id=request_id
    )
    return msgspec.json.encode(_Envelope(detail))


def read_error(body: bytes) -> tuple[str, str] | None:
    """Return message and code of a provider's error answer; None where it is no such answer."""
    try:
        envelope = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    inner = envelope.error
    if isinstance(inner, str):
        return inner, ""
    if inner is None:
        text = envelope.message or envelope.detail
        return (text, "") if isinstance(text, str) else None
    message = inner.message if isinstance(inner.message, str) else "the provider gave no reason"
    code = inner.code if isinstance(inner.code, str | int) else inner.type
    return message, str(code or "")


def is_envelope(body: bytes) -> bool:
    """Tell whether a body is an error as OpenAI's clients expect it, so that it may pass as it is."""
    try:
        envelope = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(envelope.error, _WireError) and isinstance(envelope.error.message, str)
