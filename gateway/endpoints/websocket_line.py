"""The line to one peer: frames go out one by one as it takes them, until it is gone or the gateway hangs up."""

import asyncio
from enum import IntEnum
from typing import Protocol

from gateway.endpoints.websocket_frames import ServerFrame, encode_frame


class CloseCode(IntEnum):
    """Why the gateway ends a socket; those from 4000 on are its own."""

    POLICY = 1008
    INTERNAL = 1011
    TRY_LATER = 1013
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    IDLE = 4408


class Socket(Protocol):
    """What carries the frames. Both wait until the peer takes what is sent, and raise OSError where it is gone."""

    async def send_text(self, text: str) -> None:
        """Send one frame."""

    async def close_with(self, code: int) -> None:
        """End the connection."""


class PeerGone(Exception):
    """Nobody takes what is sent."""


class Line:
    """Sends with a deadline; what is sent after the end is dropped."""

    __slots__ = ("_send_s", "_socket", "closed")

    def __init__(self, socket: Socket, *, send_s: float) -> None:
        self._socket = socket
        self._send_s = send_s
        self.closed = False

    async def send(self, frame: ServerFrame) -> None:
        """Send a frame and wait until the peer takes it. Raises PeerGone."""
        if self.closed:
            return
        try:
            async with asyncio.timeout(self._send_s):
                await self._socket.send_text(encode_frame(frame))
        except OSError as error:  # running out of time is one too
            raise PeerGone from error

    async def end(self, code: CloseCode) -> None:
        """Hang up. Raises PeerGone."""
        if self.closed:
            return
        self.closed = True
        try:
            async with asyncio.timeout(self._send_s):
                await self._socket.close_with(code)
        except OSError as error:
            raise PeerGone from error
