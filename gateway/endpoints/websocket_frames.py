"""The frames of a chat over a WebSocket, read and written: JSON objects told apart by `type`."""

import msgspec

from kernel.errors import GatewayError, InvalidRequest
from providers.dialects.canonical import Usage
from providers.dialects.openai_chat.errors import ErrorDetail

CLIENT_ID_CHARACTERS_MAX = 128
Unset = msgspec.UnsetType
UNSET = msgspec.UNSET
ABSENT = msgspec.Raw()


class Authenticate(msgspec.Struct, tag="authenticate", forbid_unknown_fields=True):
    """Says who is asking, where the handshake could not."""

    key: str


class Chat(msgspec.Struct, tag="chat", forbid_unknown_fields=True):
    """Asks for one answer; `content` is one user message, `messages` are several of any role."""

    model: str
    content: msgspec.Raw = ABSENT
    messages: list[msgspec.Raw] | None = None
    max_tokens: int | None = None
    parameters: dict[str, msgspec.Raw] = {}
    id: str | Unset = UNSET


class Cancel(msgspec.Struct, tag="cancel", forbid_unknown_fields=True):
    """Stops the answer under way."""


class Reset(msgspec.Struct, tag="reset", forbid_unknown_fields=True):
    """Forgets the conversation."""


class Ping(msgspec.Struct, tag="ping", forbid_unknown_fields=True):
    """Asks whether anybody is there."""


ClientFrame = Authenticate | Chat | Cancel | Reset | Ping


class Ready(msgspec.Struct, tag="ready"):
    """A conversation begins."""

    conversation_id: str
    models: list[str]


class Started(msgspec.Struct, tag="started"):
    """A target has begun to answer."""

    request_id: str
    target: str
    id: str | Unset = UNSET


class ToolFunction(msgspec.Struct):
    """The function part of a tool call, in pieces."""

    name: str | Unset | None = UNSET
    arguments: str | Unset | None = UNSET


class ToolDelta(msgspec.Struct):
    """A piece of the tool call with that index."""

    index: int = 0
    id: str | Unset | None = UNSET
    type: str | Unset | None = UNSET
    function: ToolFunction | Unset | None = UNSET


class Delta(msgspec.Struct, tag="delta"):
    """A piece of the answer, and what the call will have cost so far, estimated."""

    request_id: str
    cost_usd: str | None
    content: str | Unset = UNSET
    reasoning: str | Unset = UNSET
    refusal: str | Unset = UNSET
    tool_calls: list[ToolDelta] | Unset = UNSET
    id: str | Unset = UNSET


class UsageFacts(msgspec.Struct):
    """The tokens of the answer, named as in the ledger."""

    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    total_tokens: int
    estimated: bool


class Done(msgspec.Struct, tag="done"):
    """The answer is whole; `cost_usd` is what the ledger says."""

    request_id: str
    finish_reason: str
    usage: UsageFacts
    cost_usd: str | None
    conversation_cost_usd: str | None
    target: str | None
    attempts: int
    latency_ms: float
    id: str | Unset = UNSET


class Cancelled(msgspec.Struct, tag="cancelled"):
    """The answer was stopped; what it used until then is settled."""

    request_id: str
    usage: UsageFacts
    cost_usd: str | None
    conversation_cost_usd: str | None
    target: str | None
    attempts: int
    id: str | Unset = UNSET


class Failed(msgspec.Struct, tag="error"):
    """A frame or an answer came to nothing; the costs are there where a call was made."""

    error: ErrorDetail
    retryable: bool
    retry_after_s: float | Unset = UNSET
    cost_usd: str | Unset | None = UNSET
    conversation_cost_usd: str | Unset | None = UNSET
    id: str | Unset = UNSET


class Pong(msgspec.Struct, tag="pong"):
    """Somebody is there."""


ServerFrame = Ready | Started | Delta | Done | Cancelled | Failed | Pong

_client_frame = msgspec.json.Decoder(ClientFrame)
_encoder = msgspec.json.Encoder()


def decode_frame(raw: bytes) -> ClientFrame:
    """Return what a client said. Raises InvalidRequest."""
    try:
        frame: ClientFrame = _client_frame.decode(raw)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"Not a frame of this protocol: {error}", code="invalid_frame") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The frame is not valid JSON: {error}", code="invalid_json") from error
    except RecursionError as error:
        raise InvalidRequest("The frame is nested too deeply.", code="invalid_json") from error
    if isinstance(frame, Chat) and frame.id is not UNSET and len(frame.id) > CLIENT_ID_CHARACTERS_MAX:
        raise InvalidRequest(f"id is longer than {CLIENT_ID_CHARACTERS_MAX} characters", code="invalid_frame")
    return frame


def encode_frame(frame: ServerFrame) -> str:
    """Write a frame."""
    return _encoder.encode(frame).decode()


def describe_error(error: GatewayError, *, request_id: str, client_id: str | Unset = UNSET) -> Failed:
    """Return the frame that tells of an error."""
    return Failed(
        error=ErrorDetail(
            message=error.message, type=error.type, param=error.param, code=error.code, request_id=request_id
        ),
        retryable=error.retryable,
        retry_after_s=UNSET if error.retry_after_s is None else error.retry_after_s,
        id=client_id,
    )


def describe_usage(usage: Usage) -> UsageFacts:
    """Return the tokens in the form of the protocol."""
    return UsageFacts(
        input_tokens=usage.input_tokens,
        cached_input_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        total_tokens=usage.total_tokens,
        estimated=usage.estimated,
    )
