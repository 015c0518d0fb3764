"""Channels' skin over the application as it is served; the real sockets are in tests/e2e/test_websocket.py."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.urls import path, re_path

from gateway.consumers import ChatConsumer, refuse_socket
from gateway.endpoints.websocket import Limits
from gateway.plane import DataPlane
from tests.builders import SECRET, Recorder
from tests.scripted import Upstream, delta, spoken, stream

MakePlane = Callable[..., DataPlane]
BEARER = [(b"authorization", b"Bearer " + SECRET.encode())]


@asynccontextmanager
async def connected(
    plane: DataPlane, *, headers: list[tuple[bytes, bytes]] | None = None
) -> AsyncIterator[WebsocketCommunicator]:
    chat = ChatConsumer.as_asgi(plane=lambda: plane, limits=Limits(frame_bytes_max=1000))
    elsewhere: Any = refuse_socket
    application = URLRouter([path("v1/gateway/ws", chat), re_path("", elsewhere)])
    peer = WebsocketCommunicator(application, "/v1/gateway/ws", headers=headers or [])
    accepted, _ = await peer.connect()
    assert accepted
    yield peer
    await peer.disconnect()


async def test_chat_through_channels(make_plane: MakePlane) -> None:
    async with connected(make_plane(Upstream(stream(*spoken("hi")))), headers=BEARER) as peer:
        assert (await peer.receive_json_from())["type"] == "ready"
        await peer.send_json_to({"type": "chat", "model": "m", "content": "hello"})
        heard = [(await peer.receive_json_from())["type"] for _ in range(3)]
    assert heard == ["started", "delta", "done"]


async def test_binary_frames_are_garbage(make_plane: MakePlane) -> None:
    async with connected(make_plane(), headers=BEARER) as peer:
        await peer.receive_json_from()
        await peer.send_to(bytes_data=b'{"type":"ping"}')
        assert (await peer.receive_json_from())["error"]["code"] == "invalid_frame"


async def test_refused_key_closes_with_its_code(make_plane: MakePlane) -> None:
    async with connected(make_plane()) as peer:
        await peer.send_to(text_data=json.dumps({"type": "authenticate", "key": "sk-nobody"}))
        assert (await peer.receive_json_from())["error"]["code"] == "invalid_api_key"
        assert await peer.receive_output() == {"type": "websocket.close", "code": 4401}


async def test_hanging_up_settles_the_answer(make_plane: MakePlane, recorder: Recorder) -> None:
    answer = stream(delta("a"), delta("b"), *spoken(*"cdefgh"))
    async with connected(make_plane(Upstream(answer)), headers=BEARER) as peer:
        await peer.receive_json_from()
        await peer.send_json_to({"type": "chat", "model": "m", "content": "hello"})
        assert (await peer.receive_json_from())["type"] == "started"
    assert answer.closed == 1
    assert len(recorder.endings) == 1


async def test_other_paths_are_refused() -> None:
    elsewhere: Any = refuse_socket
    peer = WebsocketCommunicator(URLRouter([re_path("", elsewhere)]), "/v1/elsewhere")
    accepted, _ = await peer.connect()
    assert not accepted
