"""OpenAI's error envelope, read and written: `{"error": {"message", "type", "param", "code"}}`, all four present."""

from typing import Any

import msgspec

from kernel.errors import GatewayError, UpstreamBroken


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
    code: Any = None
    type: Any = None


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
        return _read_bare(envelope)
    message = inner.message if isinstance(inner.message, str) else "the provider gave no reason"
    code = inner.code if isinstance(inner.code, str | int) else inner.type
    return message, str(code or "")


def _read_bare(envelope: _WireEnvelope) -> tuple[str, str] | None:
    """Read an error without the inner object, as Mistral and the servers built on FastAPI have it."""
    text = envelope.message or envelope.detail
    if isinstance(text, dict):
        text = text.get("detail")
    if isinstance(text, list) and text and isinstance(text[0], dict):
        where = ".".join(str(step) for step in text[0].get("loc") or ())
        text = f"{where}: {text[0].get('msg', 'not valid')}".removeprefix(": ")
    if not isinstance(text, str):
        return None
    code = envelope.code if isinstance(envelope.code, str | int) else envelope.type
    return text, str(code or "")


def is_envelope(body: bytes) -> bool:
    """Tell whether a body is an error as OpenAI's clients expect it, so that it may pass as it is."""
    try:
        envelope = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(envelope.error, _WireError) and isinstance(envelope.error.message, str)


def reported(data: bytes) -> UpstreamBroken:
    """Return the error that a provider reports inside of an answer."""
    message, code = read_error(data) or ("the provider reported an error in its answer", "")
    return UpstreamBroken(message, code=code or "upstream_error")
