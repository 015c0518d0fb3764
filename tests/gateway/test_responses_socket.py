"""The socket as a server drives it; real ones are in tests/e2e/test_responses.py."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.plane import DataPlane
from gateway.responses_socket import ResponsesSocket, SocketLimits
from kernel import tasks
from tests.builders import SECRET, Recorder, caller, key_directory
from tests.scripted import Upstream, delta, spoken, stream

MakePlane = Callable[..., DataPlane]
BEARER = [(b"authorization", b"Bearer " + SECRET.encode())]
LIMITS = SocketLimits(frame_bytes_max=2000, waiting_max=2)


class Peer:
    """The server's side of a socket: what the application is told, and what it says."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.heard: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.gone = False
        self.takes = asyncio.Event()
        self.takes.set()

    async def send(self, message: Mapping[str, Any]) -> None:
        if self.gone:
            raise OSError("gone")
        await self.takes.wait()
        self.heard.put_nowait(message)

    async def hear(self) -> Mapping[str, Any]:
        return await asyncio.wait_for(self.heard.get(), 5)

    async def hear_event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((await self.hear())["text"])
        return event

    async def hear_end(self) -> dict[str, Any]:
        while (event := await self.hear_event())["type"] not in ("response.completed", "response.failed", "error"):
            pass
        return event

    def create(self, **fields: Any) -> None:
        body = {"type": "response.create", "model": "m", "input": "hello", **fields}
        self.told.put_nowait({"type": "websocket.receive", "text": json.dumps(body)})

    def hang_up(self) -> None:
        self.told.put_nowait({"type": "websocket.disconnect", "code": 1000})


@asynccontextmanager
async def connected(
    plane: DataPlane,
    *,
    headers: list[tuple[bytes, bytes]] | None = None,
    limits: SocketLimits = LIMITS,
    **scope: Any,
) -> AsyncIterator[Peer]:
    peer = Peer()
    peer.told.put_nowait({"type": "websocket.connect"})
    found = {"type": "websocket", "headers": BEARER if headers is None else headers, **scope}
    socket = ResponsesSocket(plane=lambda: plane, limits=limits)
    serving = tasks.spawn(socket(found, peer.told.get, peer.send), name="socket")
    yield peer
    for _ in range(2):
        peer.hang_up()
    await asyncio.wait_for(serving, 5)


async def test_turns_come_one_after_the_other(make_plane: MakePlane, recorder: Recorder) -> None:
    upstream = Upstream(stream(*spoken("one")), stream(*spoken("two")))
    async with connected(make_plane(upstream)) as peer:
        assert (await peer.hear())["type"] == "websocket.accept"
        peer.create()
        peer.create()
        texts = [(await peer.hear_end())["response"]["output"][0]["content"][0]["text"] for _ in range(2)]
    assert texts == ["one", "two"]
    assert recorder.endings == ["completed", "completed"]


async def test_frames_may_be_binary(make_plane: MakePlane) -> None:
    async with connected(make_plane(Upstream(stream(*spoken("one"))))) as peer:
        await peer.hear()
        body = b'{"type":"response.create","model":"m","input":"x"}'
        peer.told.put_nowait({"type": "websocket.receive", "bytes": body})
        assert (await peer.hear_end())["type"] == "response.completed"


@pytest.mark.parametrize(
    ("fields", "status"), [({"revoked": True}, 401), ({"scopes": frozenset({"usage"})}, 403), (None, 401)]
)
async def test_a_handshake_without_a_good_key_is_answered(
    make_plane: MakePlane, fields: dict[str, Any] | None, status: int
) -> None:
    plane = make_plane(keys=key_directory(sk_gw_test=caller(**(fields or {}))))
    headers = BEARER if fields is not None else []
    async with connected(plane, headers=headers, extensions={"websocket.http.response": {}}) as peer:
        start, body = await peer.hear(), await peer.hear()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", status)
    assert json.loads(body["body"])["error"]["code"]


async def test_a_server_that_can_not_answer_a_handshake_closes(make_plane: MakePlane) -> None:
    async with connected(make_plane(), headers=[]) as peer:
        assert await peer.hear() == {"type": "websocket.close"}


async def test_a_key_revoked_between_turns_ends_the_socket(make_plane: MakePlane) -> None:
    plane = make_plane(Upstream(stream(*spoken("one"))))
    async with connected(plane) as peer:
        await peer.hear()
        peer.create()
        assert (await peer.hear_end())["type"] == "response.completed"
        plane.keys = key_directory(sk_gw_test=caller(revoked=True))
        peer.create()
        assert (await peer.hear_end())["error"]["code"] == "revoked_api_key"
        assert await peer.hear() == {"type": "websocket.close", "code": 4401}


async def test_a_socket_lasts_only_so_long(make_plane: MakePlane) -> None:
    limits = SocketLimits(frame_bytes_max=2000, lifetime_s=0.0)
    async with connected(make_plane(), limits=limits) as peer:
        await peer.hear()
        assert (await peer.hear_event())["error"]["code"] == "websocket_connection_limit_reached"
        assert await peer.hear() == {"type": "websocket.close", "code": 1001}
        peer.create()
    assert peer.heard.empty()


async def test_an_idle_socket_ends_when_its_time_is_over(make_plane: MakePlane) -> None:
    limits = SocketLimits(frame_bytes_max=2000, lifetime_s=0.01)
    async with connected(make_plane(), limits=limits) as peer:
        await peer.hear()
        assert (await peer.hear_event())["error"]["code"] == "websocket_connection_limit_reached"


async def test_hanging_up_cancels_the_answer_and_settles_it(make_plane: MakePlane, recorder: Recorder) -> None:
    answer = stream(delta("a"), asyncio.Event())
    async with connected(make_plane(Upstream(answer))) as peer:
        await peer.hear()
        peer.create()
        assert (await peer.hear_event())["type"] == "response.created"
    assert answer.closed == 1
    assert recorder.endings == ["cancelled"]


async def test_a_peer_that_is_gone_ends_the_answer(make_plane: MakePlane, recorder: Recorder) -> None:
    more = asyncio.Event()
    async with connected(make_plane(Upstream(stream(delta("a"), more, *spoken("b"))))) as peer:
        await peer.hear()
        peer.create()
        await peer.hear_event()
        peer.gone = True
        more.set()
    assert recorder.endings == ["cancelled"]


async def test_a_peer_that_takes_nothing_is_given_up(make_plane: MakePlane, recorder: Recorder) -> None:
    limits = SocketLimits(frame_bytes_max=2000, send_s=0.01)
    async with connected(make_plane(Upstream(stream(*spoken("a", "b")))), limits=limits) as peer:
        await peer.hear()
        peer.takes.clear()
        peer.create()
        async with asyncio.timeout(5):
            while not recorder.endings:  # noqa: ASYNC110 - what is waited for knows of no event
                await asyncio.sleep(0)
    assert recorder.endings == ["cancelled"]


async def test_too_much_is_refused(make_plane: MakePlane) -> None:
    more = asyncio.Event()
    upstream = Upstream(stream(delta("a"), more, *spoken("b")), *[stream(*spoken("c")) for _ in range(2)])
    async with connected(make_plane(upstream)) as peer:
        await peer.hear()
        peer.create(input="x" * 3000)
        assert (await peer.hear_event())["error"]["code"] == "request_too_large"
        peer.create()
        while (await peer.hear_event())["type"] != "response.output_text.delta":
            pass
        for _ in range(3):
            peer.create()
        refused = await peer.hear_end()
        assert (refused["status"], refused["error"]["code"]) == (429, "too_many_turns")
        more.set()
        ends = [(await peer.hear_end())["type"] for _ in range(3)]
    assert ends == ["response.completed"] * 3
