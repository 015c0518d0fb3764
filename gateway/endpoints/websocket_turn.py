"""One turn of a chat: the question as a body, the answer as it grows, and what it costs while it does."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway import pipeline
from gateway.endpoints.websocket_frames import UNSET, Chat, Delta, ToolDelta, Unset
from gateway.messages import JSON, Incoming, Reply
from gateway.plane import DataPlane
from kernel.errors import InvalidRequest, UpstreamBroken, UpstreamFailed
from kernel.money import format_usd
from providers.dialects import doors, sse
from providers.dialects.canonical import Usage, estimate_tokens
from providers.prices import Price, cost_nanos
from providers.tokens import estimate_prompt
from routing.snapshot import Target
from tenants.keys import Caller

# What the gateway sets itself; `n` because a conversation goes on from one answer.
OWN_PARAMETERS = frozenset({"model", "messages", "stream", "stream_options", "n"})
_STREAM_OPTIONS = msgspec.Raw(b'{"include_usage":true}')


class _Role(msgspec.Struct):
    role: str


class _WireDelta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolDelta] | None = None


class _WireChoice(msgspec.Struct):
    delta: _WireDelta | None = None


class _WireError(msgspec.Struct):
    message: Any = None
    code: Any = None


class _WireChunk(msgspec.Struct):
    choices: list[_WireChoice] | None = None
    error: _WireError | None = None


_role = msgspec.json.Decoder(_Role)
_chunk = msgspec.json.Decoder(_WireChunk)


@dataclass(slots=True)
class Piece:
    """What one event of the stream adds to the answer."""

    content: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: list[ToolDelta] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        """Return the size of what was generated."""
        text = self.content + self.reasoning + self.refusal
        text += "".join(call.function.arguments or "" for call in self.tool_calls if call.function)
        return len(text.encode(errors="surrogatepass"))


@dataclass(slots=True)
class Answer:
    """The assistant's message as it grows; reasoning is shown but is not part of the message."""

    content: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    tool_calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    size_bytes: int = 0

    def add(self, piece: Piece) -> None:
        """Take a piece in."""
        self.size_bytes += piece.size_bytes
        if piece.content:
            self.content.append(piece.content)
        if piece.refusal:
            self.refusal.append(piece.refusal)
        for call in piece.tool_calls:
            self._add_call(call)

    def message(self) -> bytes:
        """Return the message as the next turn sends it."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.content)}
        if self.refusal:
            message["refusal"] = "".join(self.refusal)
        if self.tool_calls:
            message["content"] = message["content"] or None
            message["tool_calls"] = [call for _, call in sorted(self.tool_calls.items())]
        return msgspec.json.encode(message)

    def _add_call(self, piece: ToolDelta) -> None:
        empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        call = self.tool_calls.setdefault(piece.index, empty)
        call["id"] = call["id"] or piece.id or ""
        if not piece.function:
            return
        call["function"]["name"] += piece.function.name or ""
        call["function"]["arguments"] += piece.function.arguments or ""


@dataclass(frozen=True, slots=True)
class RunningCost:
    """Estimates what a call has cost so far; the exact figure is known when it is settled."""

    price: Price | None
    input_tokens: int
    earlier_nanos: int | None

    def estimate_nanos(self, *, output_bytes: int) -> int | None:
        """Return the estimate for an answer of that size; None where there is no price."""
        if self.price is None or self.earlier_nanos is None:
            return None
        usage = Usage(input_tokens=self.input_tokens, output_tokens=estimate_tokens(output_bytes))
        nanos = cost_nanos(usage, self.price)
        return None if nanos is None else self.earlier_nanos + nanos


@dataclass(slots=True)
class Turn:
    """A question on its way to an answer. `ending` tells that it is too late to cancel."""

    request_id: str
    caller: Caller
    model: str
    question: list[bytes]
    body: bytes
    id: str | Unset = UNSET
    answer: Answer = field(default_factory=Answer)
    ending: bool = False
    started_ns: int = field(default_factory=time.perf_counter_ns)

    def latency_ms(self) -> float:
        """Return the time since the question came."""
        return round((time.perf_counter_ns() - self.started_ns) / 1e6, 1)


@dataclass(frozen=True, slots=True)
class Settled:
    """What the ledger says of a turn: the usage of its last attempt, the cost of all."""

    usage: Usage
    cost_nanos: int | None
    target: str | None
    attempts: int
    finish_reason: str


def read_question(chat: Chat) -> list[bytes]:
    """Return the messages that a turn adds. Raises InvalidRequest."""
    content = bytes(chat.content)
    if bool(content) == (chat.messages is not None):
        raise InvalidRequest("Send either content or messages.", code="invalid_frame", param="content")
    if chat.messages is None:
        if content[:1] not in (b'"', b"["):
            raise InvalidRequest("content must be a text or a list of parts", code="invalid_frame", param="content")
        return [b'{"role":"user","content":' + content + b"}"]
    if not chat.messages:
        raise InvalidRequest("messages must not be empty", code="invalid_frame", param="messages")
    return [_read_message(number, bytes(raw)) for number, raw in enumerate(chat.messages)]


def build_body(chat: Chat, messages: Iterable[bytes]) -> bytes:
    """Return the body of a streamed chat completion. Raises InvalidRequest for parameters that are not the client's."""
    refused = OWN_PARAMETERS & chat.parameters.keys()
    if refused:
        name = min(refused)
        raise InvalidRequest(
            f"parameters can't set {name}: the conversation does.", code="invalid_frame", param=f"parameters.{name}"
        )
    fields: dict[str, Any] = {
        "model": chat.model,
        "messages": msgspec.Raw(b"[" + b",".join(messages) + b"]"),
        **chat.parameters,
        "stream": True,
        "stream_options": _STREAM_OPTIONS,
    }
    if chat.max_tokens is not None:
        fields["max_tokens"] = chat.max_tokens
    return msgspec.json.encode(fields)


async def open_answer(plane: DataPlane, turn: Turn, headers: Sequence[tuple[bytes, bytes]]) -> Reply:
    """Send a turn on the journey of every other call. Raises GatewayError."""
    incoming = Incoming(method="POST", path="/v1/chat/completions", headers=dict([JSON, *headers]), body=turn.body)
    return await pipeline.serve(plane, turn.caller, doors.CHAT, incoming, turn.request_id)


class PieceReader:
    """Turns the bytes of a stream into the pieces they add to the answer."""

    def __init__(self) -> None:
        self._splitter = sse.EventSplitter()

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Yield the pieces of the events that these bytes finish. Raises UpstreamFailed for an error among them."""
        for event in self._splitter.feed(data):
            piece = _read_event(event)
            if piece is not None:
                yield piece


def begin_cost(plane: DataPlane, turn: Turn, *, target: str) -> RunningCost:
    """Return the estimate for a turn that this target has begun to answer."""
    answering = _find_target(plane, turn, target)
    earlier_nanos = settled(plane, turn).cost_nanos
    if answering is None:
        return RunningCost(price=None, input_tokens=0, earlier_nanos=earlier_nanos)
    tokenizer = answering.connection.preset.tokenizer_of(answering.model)
    return RunningCost(
        price=plane.snapshot.price_of(answering, tenant_id=turn.caller.tenant_id, now_s=time.time()),
        input_tokens=estimate_prompt(doors.CHAT.heads.read_prompt(turn.body), tokenizer=tokenizer),
        earlier_nanos=earlier_nanos,
    )


def describe_piece(turn: Turn, piece: Piece, running: RunningCost) -> Delta:
    """Return the frame for a piece that has just been added to the answer."""
    nanos = running.estimate_nanos(output_bytes=turn.answer.size_bytes)
    return Delta(
        request_id=turn.request_id,
        cost_usd=None if nanos is None else format_usd(nanos),
        content=piece.content or UNSET,
        reasoning=piece.reasoning or UNSET,
        refusal=piece.refusal or UNSET,
        tool_calls=piece.tool_calls or UNSET,
        id=turn.id,
    )


def settled(plane: DataPlane, turn: Turn) -> Settled:
    """Return what was written down of a turn that is over."""
    records = plane.recent.find(key_id=turn.caller.key_id, request_id=turn.request_id)
    if not records:
        return Settled(Usage(), 0, None, 0, "")
    costs = [record.cost_nanos for record in records]
    total = None if None in costs else sum(cost for cost in costs if cost is not None)
    last = records[-1]
    return Settled(last.usage, total, last.target, len(records), last.finish_reason)


def target_of(reply: Reply) -> str:
    """Return the name of the target that answers."""
    return next((value.decode() for name, value in reply.headers if name == b"x-gateway-target"), "")


def _find_target(plane: DataPlane, turn: Turn, name: str) -> Target | None:
    route = plane.snapshot.find_route(tenant_id=turn.caller.tenant_id, name=turn.model)
    targets = [candidate for group in route.groups for candidate in group] if route else []
    return next((one for one in targets if one.name.encode("ascii", "replace").decode() == name), None)


def _read_message(number: int, raw: bytes) -> bytes:
    try:
        _role.decode(raw)
    except msgspec.MsgspecError as error:
        raise InvalidRequest(
            f"messages[{number}] is not a message: {error}", code="invalid_frame", param=f"messages[{number}]"
        ) from error
    return raw


def _read_event(event: bytes) -> Piece | None:
    data = sse.data_of(event)
    if data is None or data == b"[DONE]":
        return None
    try:
        chunk = _chunk.decode(data)
    except msgspec.ValidationError:
        return None  # unusual, and not an answer
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's stream holds something that is not JSON") from error
    if chunk.error is not None:
        raise _reported(chunk.error)
    delta = chunk.choices[0].delta if chunk.choices else None
    return _piece_of(delta) if delta is not None else None


def _piece_of(delta: _WireDelta) -> Piece | None:
    piece = Piece(
        content=delta.content or "",
        reasoning=delta.reasoning_content or delta.reasoning or "",
        refusal=delta.refusal or "",
        tool_calls=delta.tool_calls or [],
    )
    return piece if piece.content or piece.reasoning or piece.refusal or piece.tool_calls else None


def _reported(error: _WireError) -> UpstreamFailed:
    message = error.message if isinstance(error.message, str) else "the provider reported an error in the stream"
    code = error.code if isinstance(error.code, str) and error.code else UpstreamFailed.code
    return UpstreamFailed(message, code=code)
