"""Responses over a socket, without the socket: `response.create` events in, the events of streams out, turn by turn.

What `store: false` leaves to go on from lasts as long as the session, and a turn that fails forgets the one that it
went on from. Frames as OpenAI's guide to WebSocket mode and openai-python 3.52 have them (November 2026).
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial

import msgspec

from gateway import access, pipeline
from gateway.endpoints.websocket_line import CloseCode, PeerGone
from gateway.hearing import VENDOR_HEADERS, hear
from gateway.manner import OPENAI
from gateway.messages import JSON, Incoming
from gateway.plane import DataPlane
from gateway.responses.answer import keep_reply, keep_response
from gateway.responses.base import StoredTurn
from gateway.responses.turn import Turn, read_turn, resume
from gateway.responses.volatile import VolatileResponses
from kernel.errors import (
    AuthenticationFailed,
    GatewayError,
    InternalError,
    InvalidRequest,
    PermissionRefused,
    Unavailable,
)
from kernel.ids import new_id
from providers.dialects import complaints, doors, sse
from providers.dialects.canonical import Usage
from providers.dialects.codec import Asked
from providers.dialects.conversation import Ended, Event, Finish, Finished, Started, UsageReport
from providers.dialects.openai_responses import framing
from tenants.keys import Caller

CREATE = "response.create"
PATH = "/v1/responses"
_ENVELOPE = frozenset({"type", "stream_id", "generate", "stream"})
_TRUE = msgspec.Raw(b"true")

logger = logging.getLogger("gateway.responses")
Say = Callable[[str], Awaitable[None]]


class SocketEnds(Exception):
    """The socket is to end, after telling why."""

    def __init__(self, error: GatewayError, code: CloseCode) -> None:
        super().__init__(error.message)
        self.error = error
        self.code = code


class _Frame(msgspec.Struct):
    type: str
    stream_id: str | None = None
    generate: bool | None = None


_frame = msgspec.json.Decoder(_Frame)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class ResponsesSession:
    """One socket's turns. `take` is called for one event after the other, never at once."""

    def __init__(self, plane: DataPlane, say: Say, *, secret: str, headers: Mapping[bytes, bytes]) -> None:
        self._plane = plane
        self._say = say
        self._secret = secret
        own = [(name, value) for name, value in headers.items() if name.startswith(b"x-gateway-")]
        vendors = [
            (name, headers[name]) for name in VENDOR_HEADERS if b"websocket" not in headers.get(name, b"websocket")
        ]
        self._headers = dict([JSON, *own, *vendors])
        self._kept = VolatileResponses(behind=plane.responses)

    async def take(self, data: bytes) -> None:
        """Answer one event. Raises PeerGone, and SocketEnds where the key is no longer good."""
        request_id = new_id("req")
        stream_id = None
        try:
            frame = complaints.decode(_frame, data)
            stream_id = frame.stream_id
            await self._act(frame, data, request_id)
        except (PeerGone, SocketEnds):
            raise
        except GatewayError as error:
            await self._say(describe_error(error, request_id=request_id, stream_id=stream_id))
        except Exception:
            logger.exception("unexpected error", extra={"request_id": request_id})
            failure = InternalError("The gateway failed to serve this turn; its log has the details.")
            await self._say(describe_error(failure, request_id=request_id, stream_id=stream_id))

    async def _act(self, frame: _Frame, data: bytes, request_id: str) -> None:
        caller = await self._find_caller()
        if frame.type != CREATE:
            raise InvalidRequest(f"Send {CREATE}; nothing else is understood.", code="unknown_event", param="type")
        incoming = Incoming("POST", PATH, self._headers, _read_body(data))
        turn = read_turn(caller, incoming)
        is_whole = False
        try:
            asked = await resume(self._kept, turn, incoming)
            answer = self._prepare if frame.generate is False else self._relay
            is_whole = await answer(turn, asked, request_id, frame.stream_id)
        finally:
            if not is_whole:
                self._kept.evict(turn.previous_id)

    async def _relay(self, turn: Turn, asked: Incoming, request_id: str, stream_id: str | None) -> bool:
        """Pass an answer's events on, and tell whether it came to its end."""
        reply = await pipeline.serve(self._plane, turn.caller, doors.RESPONSES, asked, request_id)
        reply = await keep_reply(partial(self._save, turn), turn, reply)
        assert reply.chunks is not None, "a call that asks for a stream gets one"
        splitter = sse.EventSplitter()
        async with aclosing(reply.chunks) as chunks:
            async for chunk in chunks:
                await self._tell(splitter, chunk, stream_id)
        return reply.chunks.whole

    async def _prepare(self, turn: Turn, asked: Incoming, request_id: str, stream_id: str | None) -> bool:
        """Keep the input without asking anybody, as a response without output to go on from."""
        call = hear(self._plane, turn.caller, doors.RESPONSES, asked, request_id)
        answer_id = new_id(doors.RESPONSES.id_prefix)
        front = doors.RESPONSES.front
        assert front is not None
        front.decode_request(asked.body, asked.said)  # which no provider is going to look at
        nothing: list[Event] = [Started(), UsageReport(Usage()), Finished(Finish.STOP), Ended()]
        answer = Asked(call.head, turn.body, call.head.model, answer_id, int(time.time()))
        events = front.encoder(answer, lambda usage: None).encode(nothing)
        await keep_response(partial(self._save, turn), turn, events)
        await self._tell(sse.EventSplitter(), events, stream_id)
        return True

    async def _tell(self, splitter: sse.EventSplitter, events: bytes, stream_id: str | None) -> None:
        for event in splitter.feed(events):
            data = framing.data_of(event)
            if data is not None and data != framing.DONE:
                await self._say(_in_lane(data, stream_id).decode(errors="replace"))

    async def _save(self, turn: Turn, stored: StoredTurn) -> None:
        """Keep a turn for good or for the session; for the session too where it can't be kept for good."""
        if not turn.is_kept:
            await self._kept.save(stored)
            return
        try:
            await self._plane.responses.save(stored)
        except Unavailable:
            await self._kept.save(stored)
            raise

    async def _find_caller(self) -> Caller:
        """Return the live caller behind the key, asked anew at every turn. Raises SocketEnds and Unavailable."""
        try:
            caller = await access.authenticate(self._plane.keys, self._secret)
            access.require_scope(caller, "inference")
        except AuthenticationFailed as error:
            raise SocketEnds(error, CloseCode.UNAUTHENTICATED) from error
        except PermissionRefused as error:
            raise SocketEnds(error, CloseCode.FORBIDDEN) from error
        return caller


def describe_error(error: GatewayError, *, request_id: str, stream_id: str | None = None) -> str:
    """Return the `error` event for a turn that came to nothing."""
    envelope = _object.decode(OPENAI.errors.encode_error(error, request_id=request_id))
    described = _object.decode(envelope["error"])
    if error.retry_after_s is not None:
        described["headers"] = msgspec.Raw(b'{"retry-after":"%d"}' % max(1, round(error.retry_after_s)))
    said = {"type": "error", "status": OPENAI.errors.status_of(error), "error": described}
    return _in_lane(msgspec.json.encode(said), stream_id).decode()


def _read_body(data: bytes) -> bytes:
    fields = complaints.decode(_object, data)
    return msgspec.json.encode({name: raw for name, raw in fields.items() if name not in _ENVELOPE} | {"stream": _TRUE})


def _in_lane(data: bytes, stream_id: str | None) -> bytes:
    """Return an event with the `stream_id` of the request that it answers."""
    if stream_id is None:
        return data
    return data.rstrip()[:-1] + b',"stream_id":' + msgspec.json.encode(stream_id) + b"}"
