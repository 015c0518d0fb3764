"""A chat over a WebSocket, without the WebSocket: frames in, frames out, one answer at a time.

The conversation lives as long as its socket. A turn is all or nothing: the question and its answer join the
conversation together when the answer is whole; a turn that fails or is cancelled leaves the conversation as it was.
The protocol is described in docs/websocket.md.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gateway import access
from gateway.endpoints import websocket_frames as frames
from gateway.endpoints import websocket_turn as turns
from gateway.endpoints.websocket_answer import Answering
from gateway.endpoints.websocket_history import History
from gateway.endpoints.websocket_line import CloseCode, Line, PeerGone, Socket
from gateway.endpoints.websocket_turn import Turn
from gateway.messages import Headers, Incoming
from gateway.plane import DataPlane
from kernel import tasks
from kernel.clock import Deadline
from kernel.errors import (
    AuthenticationFailed,
    BodyTooLarge,
    GatewayError,
    InternalError,
    InvalidRequest,
    PermissionRefused,
    Unavailable,
)
from kernel.ids import new_id
from tenants.keys import Caller

AUTHENTICATE_BYTES_MAX = 4096
STOP_TIMEOUT_S = 10.0

logger = logging.getLogger("gateway.websocket")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one socket may take."""

    frame_bytes_max: int
    conversation_bytes_max: int = 8 * 1024 * 1024
    conversation_messages_max: int = 400
    garbage_in_a_row_max: int = 10
    authenticate_s: float = 10.0
    idle_s: float = 1800.0
    send_s: float = 30.0


class _Ending(Exception):
    """The socket ends, after telling why."""

    def __init__(self, error: GatewayError, code: CloseCode) -> None:
        super().__init__(error.message)
        self.error = error
        self.code = code


class Conversation:
    """One socket's state. `open`, `receive` and `close` are called one after the other, never at once."""

    def __init__(self, plane: DataPlane, socket: Socket, limits: Limits) -> None:
        self._plane = plane
        self._limits = limits
        self._line = Line(socket, send_s=limits.send_s)
        self._headers: Headers = []
        self._secret: str | None = None
        self._deadline = Deadline.after(limits.authenticate_s)
        self._watch: asyncio.Task[None] | None = None
        self._turn: Turn | None = None
        self._task: asyncio.Task[None] | None = None
        self._garbage_in_a_row = 0
        self._answering = self._begin_history()

    async def open(self, headers: Mapping[bytes, bytes]) -> None:
        """Begin: with the key in the handshake where there is one, else waiting for it. Raises PeerGone."""
        self._headers = [(name, value) for name, value in headers.items() if name.startswith(b"x-gateway-")]
        self._answering = self._begin_history()
        self._watch = tasks.spawn(self._end_when_due(), name="websocket-deadline")
        await self._guard(new_id("req"), self._authenticate_by_handshake(headers))

    async def receive(self, text: str | None) -> None:
        """Act on one frame, None for a binary one. Raises PeerGone."""
        if not self._line.closed:
            request_id = new_id("req")
            await self._guard(request_id, self._act(text, request_id))

    async def close(self) -> None:
        """Let go of everything: an answer under way is cancelled upstream and settled."""
        self._line.closed = True
        if self._watch is not None:
            self._watch.cancel()
        await self._stop_answer()

    async def _guard(self, request_id: str, work: Coroutine[Any, Any, None]) -> None:
        """Do a frame's work; whatever goes wrong is told in an error frame."""
        try:
            await work
        except PeerGone:
            raise
        except _Ending as ending:
            await self._end(ending.error, ending.code, request_id=request_id)
        except GatewayError as error:
            await self._line.send(frames.describe_error(error, request_id=request_id))
        except Exception:
            logger.exception("unexpected error", extra={"request_id": request_id})
            failure = InternalError("The gateway failed to serve this frame; its log has the details.")
            await self._end(failure, CloseCode.INTERNAL, request_id=request_id)

    async def _act(self, text: str | None, request_id: str) -> None:
        frame = self._read(text)
        if self._secret is None:
            await self._authenticate_by_frame(frame)
            return
        self._deadline = Deadline.after(self._limits.idle_s)
        if isinstance(frame, frames.Chat):
            await self._chat(frame, request_id)
        elif isinstance(frame, frames.Cancel):
            await self._cancel()
        elif isinstance(frame, frames.Reset):
            await self._reset()
        elif isinstance(frame, frames.Ping):
            await self._line.send(frames.Pong())
        else:
            raise InvalidRequest("This socket is authenticated already.", code="already_authenticated")

    def _read(self, text: str | None) -> frames.ClientFrame:
        """Return a frame. Raises InvalidRequest for garbage, _Ending for too much of it."""
        try:
            frame = frames.decode_frame(self._check_size(text))
        except InvalidRequest as error:
            self._garbage_in_a_row += 1
            if self._garbage_in_a_row >= self._limits.garbage_in_a_row_max:
                raise _Ending(error, CloseCode.POLICY) from error
            raise
        self._garbage_in_a_row = 0
        return frame

    def _check_size(self, text: str | None) -> bytes:
        if text is None:
            raise InvalidRequest("Frames are JSON texts; this one is binary.", code="invalid_frame")
        limit = self._limits.frame_bytes_max if self._secret is not None else AUTHENTICATE_BYTES_MAX
        raw = text.encode(errors="replace") if len(text) <= limit else b""
        if max(len(text), len(raw)) > limit:
            raise BodyTooLarge(f"The frame is larger than {limit} bytes.")
        return raw

    async def _authenticate_by_handshake(self, headers: Mapping[bytes, bytes]) -> None:
        incoming = Incoming(method="GET", path="/v1/gateway/ws", headers=headers)
        try:
            secret = access.read_secret(incoming)
        except AuthenticationFailed as error:
            if error.code == "missing_api_key":
                return  # a browser can't set headers: its first frame brings the key
            raise _Ending(error, CloseCode.UNAUTHENTICATED) from error
        await self._begin(secret)

    async def _authenticate_by_frame(self, frame: frames.ClientFrame) -> None:
        if not isinstance(frame, frames.Authenticate):
            error = AuthenticationFailed("The first frame must be authenticate.", code="not_authenticated")
            raise _Ending(error, CloseCode.UNAUTHENTICATED)
        await self._begin(frame.key)

    async def _begin(self, secret: str) -> None:
        caller = await self._find_caller(secret)
        self._secret = secret
        self._deadline = Deadline.after(self._limits.idle_s)
        await self._tell_ready(caller)

    async def _find_caller(self, secret: str) -> Caller:
        """Return the live caller behind a key, asked anew at every turn. Raises _Ending and Unavailable."""
        try:
            caller = await access.authenticate(self._plane.keys, secret)
            access.require_scope(caller, "inference")
        except AuthenticationFailed as error:
            raise _Ending(error, CloseCode.UNAUTHENTICATED) from error
        except PermissionRefused as error:
            raise _Ending(error, CloseCode.FORBIDDEN) from error
        except Unavailable as error:
            if self._secret is None:
                raise _Ending(error, CloseCode.TRY_LATER) from error
            raise
        return caller

    async def _tell_ready(self, caller: Caller) -> None:
        models = [route.name for route in access.usable_routes(self._plane.snapshot, caller)]
        await self._line.send(frames.Ready(conversation_id=self._answering.history.id, models=models))

    async def _reset(self) -> None:
        if self._turn is not None:
            raise InvalidRequest("An answer is under way; cancel it first.", code="answer_in_progress")
        assert self._secret is not None
        caller = await self._find_caller(self._secret)
        self._answering = self._begin_history()
        await self._tell_ready(caller)

    async def _chat(self, chat: frames.Chat, request_id: str) -> None:
        try:
            turn = await self._make_turn(chat, request_id)
        except InvalidRequest as error:
            await self._line.send(frames.describe_error(error, request_id=request_id, client_id=chat.id))
            return
        self._turn = turn
        self._task = tasks.spawn(self._answer(turn), name=f"websocket-turn-{request_id}")

    async def _make_turn(self, chat: frames.Chat, request_id: str) -> Turn:
        if self._turn is not None:
            raise InvalidRequest("An answer is under way; one at a time.", code="answer_in_progress")
        assert self._secret is not None
        caller = await self._find_caller(self._secret)
        question = turns.read_question(chat)
        body = turns.build_body(chat, self._answering.history.with_question(question))
        return Turn(request_id, caller, chat.model, question, body, chat.id)

    async def _answer(self, turn: Turn) -> None:
        try:
            await self._answering.answer(turn)
        finally:
            self._turn = None
            self._deadline = Deadline.after(self._limits.idle_s)

    async def _cancel(self) -> None:
        turn = self._turn
        if turn is None or turn.ending:
            raise InvalidRequest("No answer is under way.", code="nothing_to_cancel")
        await self._stop_answer()
        await self._answering.tell_cancelled(turn)

    async def _stop_answer(self) -> None:
        """Cancel the answer under way and wait until it is settled."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=STOP_TIMEOUT_S)
        self._turn = None

    async def _end(self, error: GatewayError, code: CloseCode, *, request_id: str) -> None:
        """Tell why and hang up. Raises PeerGone."""
        await self._stop_answer()
        await self._line.send(frames.describe_error(error, request_id=request_id))
        await self._line.end(code)

    async def _end_when_due(self) -> None:
        """End a socket that does not say who it is in time, or that nobody has used for long."""
        while True:
            left_s = self._deadline.remaining_s()
            if not left_s and self._turn is None:
                break
            await asyncio.sleep(left_s or self._limits.idle_s)
        error: GatewayError = AuthenticationFailed("No key came in time.", code="authentication_timeout")
        code = CloseCode.UNAUTHENTICATED
        if self._secret is not None:
            error, code = InvalidRequest("The socket was idle for too long.", code="idle_timeout"), CloseCode.IDLE
        with suppress(PeerGone):
            await self._end(error, code, request_id=new_id("req"))

    def _begin_history(self) -> Answering:
        limits = self._limits
        history = History(bytes_max=limits.conversation_bytes_max, messages_max=limits.conversation_messages_max)
        return Answering(self._plane, self._line, history, self._headers)
