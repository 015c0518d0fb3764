"""The WebSocket at /v1/responses: the handshake, events in and out, and the end of it.

While a turn is answered the socket goes on listening, so that a peer who hangs up ends the turn; events that come
meanwhile wait for theirs.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gateway import access
from gateway.endpoints.edge import error_reply
from gateway.endpoints.responses_session import PATH, ResponsesSession, SocketEnds, describe_error
from gateway.endpoints.websocket_line import CloseCode, PeerGone
from gateway.handler import Receive, Scope, Send
from gateway.messages import Incoming
from gateway.plane import DataPlane
from kernel import tasks
from kernel.clock import Deadline
from kernel.errors import BodyTooLarge, GatewayError, InvalidRequest, RateLimited
from kernel.ids import new_id

STOP_TIMEOUT_S = 10.0
REFUSED_S = 1.0
GOING_AWAY = 1001  # clients connect again by themselves (openai-python 3.52, `is_recoverable_close`)
_CAN_ANSWER = "websocket.http.response"

logger = logging.getLogger("gateway.responses")


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one socket may take; OpenAI's sockets last an hour too."""

    frame_bytes_max: int
    waiting_max: int = 8
    lifetime_s: float = 3600.0
    send_s: float = 30.0


class ResponsesSocket:
    """An ASGI application for sockets."""

    def __init__(self, *, plane: Callable[[], DataPlane], limits: SocketLimits) -> None:
        self._plane = plane
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket to its end, or refuse it."""
        await receive()  # that it wants to connect
        plane = self._plane()
        headers = dict(scope["headers"])
        try:
            secret = access.read_secret(Incoming("GET", PATH, headers))
            access.require_scope(await access.authenticate(plane.keys, secret), "inference")
        except GatewayError as error:
            await _refuse(error, scope, receive, send)
            return
        await send({"type": "websocket.accept"})
        connection = _Connection(send, self._limits)
        await connection.live(receive, ResponsesSession(plane, connection.say, secret=secret, headers=headers))


class _Connection:
    def __init__(self, send: Send, limits: SocketLimits) -> None:
        self._send = send
        self._limits = limits
        self._deadline = Deadline.after(limits.lifetime_s)
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(limits.waiting_max)
        self._closed = False

    async def live(self, receive: Receive, session: ResponsesSession) -> None:
        """Listen until the peer is gone; whatever is being answered then is cancelled and settled."""
        answering = tasks.spawn(self._answer_all(session), name="responses-socket")
        try:
            with suppress(PeerGone):
                while (message := await receive())["type"] != "websocket.disconnect":
                    await self._hear(message)
        finally:
            self._closed = True
            answering.cancel()
            await asyncio.wait({answering}, timeout=STOP_TIMEOUT_S)

    async def say(self, text: str) -> None:
        """Send one event and wait until the peer takes it; after the end it is dropped. Raises PeerGone."""
        await self._pass({"type": "websocket.send", "text": text})

    async def _pass(self, message: dict[str, Any]) -> None:
        if self._closed:
            return
        try:
            async with asyncio.timeout(self._limits.send_s):
                await self._send(message)
        except OSError as error:  # running out of time is one too
            raise PeerGone from error

    async def _hear(self, message: Any) -> None:
        text = message.get("text")
        data: bytes = message.get("bytes") or b"" if text is None else text.encode(errors="replace")
        try:
            if len(data) > self._limits.frame_bytes_max:
                raise BodyTooLarge(f"The event is larger than {self._limits.frame_bytes_max} bytes.")
            self._waiting.put_nowait(data)
        except BodyTooLarge as error:
            await self._complain(error)
        except asyncio.QueueFull:
            waiting = self._limits.waiting_max
            await self._complain(RateLimited(f"{waiting} turns are waiting for their answers.", code="too_many_turns"))

    async def _answer_all(self, session: ResponsesSession) -> None:
        try:
            while (data := await self._next()) is not None:
                await session.take(data)
            error = InvalidRequest(
                "This socket has lasted as long as it may; connect again.", code="websocket_connection_limit_reached"
            )
            await self._end(error, GOING_AWAY)
        except SocketEnds as ending:
            with suppress(PeerGone):
                await self._end(ending.error, ending.code)
        except PeerGone:
            return  # the server notices too

    async def _next(self) -> bytes | None:
        """Return the next event; None where the socket has lasted long enough."""
        if self._deadline.passed():
            return None
        try:
            async with asyncio.timeout(self._deadline.remaining_s()):
                return await self._waiting.get()
        except TimeoutError:
            return None

    async def _complain(self, error: GatewayError) -> None:
        await self.say(describe_error(error, request_id=new_id("req")))

    async def _end(self, error: GatewayError, code: int | CloseCode) -> None:
        """Tell why and hang up. Raises PeerGone."""
        await self._complain(error)
        await self._pass({"type": "websocket.close", "code": int(code)})
        self._closed = True


async def _refuse(error: GatewayError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a handshake with an error; servers that can't do so answer 403."""
    if _CAN_ANSWER not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    reply = error_reply(error, request_id=new_id("req"))
    await send({"type": "websocket.http.response.start", "status": reply.status, "headers": reply.headers})
    await send({"type": "websocket.http.response.body", "body": reply.body})
    # uvicorn 0.54 says once that it hangs up and once that it has; to return before that it logs as a fault.
    with suppress(TimeoutError):
        async with asyncio.timeout(REFUSED_S):
            for _ in range(2):
                await receive()
