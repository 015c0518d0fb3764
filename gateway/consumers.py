"""Channels' skin around the chat: it accepts the socket, hands frames in and out, and lets go when the peer does."""

from collections.abc import Callable
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from gateway.endpoints.websocket import Conversation, Limits
from gateway.endpoints.websocket_line import PeerGone
from gateway.handler import Receive, Scope, Send
from gateway.plane import DataPlane


class ChatConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """One socket at /v1/gateway/ws. The conversation is closed however the connection ends."""

    def __init__(self, *, plane: Callable[[], DataPlane], limits: Limits) -> None:
        super().__init__()
        self._conversation = Conversation(plane(), self, limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the socket until one side ends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._conversation.close()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Act on one message of the server's, without Channels' thread hop to tidy up database connections."""
        try:
            if message["type"] == "websocket.connect":
                await self.accept()
                await self._conversation.open(dict(self.scope["headers"]))
            elif message["type"] == "websocket.receive":
                await self._conversation.receive(message.get("text"))
            elif message["type"] == "websocket.disconnect":
                raise StopConsumer
        except PeerGone as error:
            raise StopConsumer from error

    async def send_text(self, text: str) -> None:
        """Send one frame."""
        await self.send(text_data=text)

    async def close_with(self, code: int) -> None:
        """End the connection."""
        await self.close(code=int(code))


async def refuse_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a socket at an unknown path: the handshake is answered with 403."""
    await receive()
    await send({"type": "websocket.close"})
