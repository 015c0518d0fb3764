"""The data plane's ASGI handler: bodies, disconnects, refusals, and the bytes it sends."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from types import ModuleType
from typing import Any

import msgspec
import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path
from hypothesis import given
from hypothesis import strategies as st

from gateway import handler
from gateway.endpoints import models
from gateway.handler import DataPlaneHandler, ReplyResponse
from gateway.messages import Reply
from gateway.plane import DataPlane
from tests.builders import CHAT, SECRET, Recorder
from tests.scripted import DONE, Upstream, delta, spoken, stream, whole

MakePlane = Callable[..., DataPlane]
BODY_MAX = 1_000
GONE = {"type": "http.disconnect"}


class Client:
    """A caller: says its messages, then waits until it hangs up, and keeps what it was sent."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages = list(messages)
        self.gone = asyncio.Event()
        self.sent: list[Mapping[str, Any]] = []
        self.blocked = asyncio.Event()
        self.blocked.set()

    async def receive(self) -> dict[str, Any]:
        if self._messages:
            return self._messages.pop(0)
        await self.gone.wait()
        return GONE

    async def send(self, message: Mapping[str, Any]) -> None:
        await self.blocked.wait()
        self.sent.append(dict(message))

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def code(self) -> str:
        return str(msgspec.json.decode(self.body)["error"]["code"])


def scope(method: str = "POST", at: str = "/v1/chat/completions", **fields: Any) -> dict[str, Any]:
    headers = [(b"authorization", b"Bearer " + SECRET.encode()), *fields.pop("headers", [])]
    return {
        "type": "http",
        "method": method,
        "path": at,
        "raw_path": at.encode(),
        "query_string": b"",
        "headers": headers,
    } | fields


def asking(body: Any = CHAT) -> Client:
    return Client({"type": "http.request", "body": body if isinstance(body, bytes) else msgspec.json.encode(body)})


def serving(plane: DataPlane) -> DataPlaneHandler:
    return DataPlaneHandler(lambda: plane, max_body_bytes=BODY_MAX, max_upload_bytes=BODY_MAX)


async def request(plane: DataPlane, client: Client | None = None, **fields: Any) -> Client:
    client = client or asking()
    await serving(plane)(scope(**fields), client.receive, client.send)
    return client


async def tick(times: int = 20) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


# What is sent


async def test_an_answer_is_sent_in_two_messages_with_its_length(make_plane: MakePlane) -> None:
    client = await request(make_plane(Upstream(whole())))
    assert [message["type"] for message in client.sent] == ["http.response.start", "http.response.body"]
    assert client.status == 200
    assert client.headers[b"content-length"] == b"%d" % len(client.body)


async def test_a_stream_is_sent_as_it_comes_and_ended(make_plane: MakePlane, recorder: Recorder) -> None:
    client = await request(make_plane(Upstream(stream(*spoken("a", "b")))), asking(CHAT | {"stream": True}))
    assert client.body == b"".join(spoken("a", "b"))
    assert b"content-length" not in client.headers
    assert [message.get("more_body", False) for message in client.sent[1:]] == [True] * (len(client.sent) - 2) + [False]
    assert recorder.endings == ["completed"]


async def test_a_cut_stream_ends_properly_with_its_error(make_plane: MakePlane) -> None:
    client = await request(make_plane(Upstream(stream(delta("a")))), asking(CHAT | {"stream": True}))
    assert b'"upstream_cut"' in client.body
    assert DONE not in client.body
    assert client.sent[-1] == {"type": "http.response.body"}


# Bodies


def chunked(*parts: bytes) -> Client:
    last = len(parts) - 1
    return Client(
        *({"type": "http.request", "body": part, "more_body": number < last} for number, part in enumerate(parts))
    )


@given(st.lists(st.integers(1, 70), max_size=8))
def test_a_body_in_pieces_is_put_together(cuts: list[int]) -> None:
    data = msgspec.json.encode(CHAT)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    client_parts = [data[start:end] for start, end in pairwise(edges)]

    async def go() -> bytes | None:
        return await serving(None)._read(chunked(*client_parts).receive)  # type: ignore[arg-type]

    assert asyncio.run(go()) == data


@pytest.mark.parametrize(
    "parts",
    [
        (b"x" * (BODY_MAX + 1),),
        (b"x" * BODY_MAX, b"x"),
        (b"x" * 600, b"x" * 600, b"x" * 600),
        (b"x" * 10_000, b"never", b"read"),
    ],
)
async def test_a_body_that_is_too_large_is_413(make_plane: MakePlane, parts: Iterable[bytes]) -> None:
    upstream = Upstream()
    client = await request(make_plane(upstream), chunked(*parts), headers=[(b"x-request-id", b"mine")])
    assert (client.status, client.code) == (413, "request_too_large")
    assert client.headers[b"x-request-id"] == b"mine"
    assert upstream.exchanges == []


async def test_a_body_of_just_the_limit_is_read(make_plane: MakePlane) -> None:
    body = msgspec.json.encode(CHAT).ljust(BODY_MAX)
    assert (await request(make_plane(Upstream(whole())), asking(body))).status == 200
    half = BODY_MAX // 2
    assert (await request(make_plane(Upstream(whole())), chunked(body[:half], body[half:]))).status == 200


# The caller hangs up


@pytest.mark.parametrize("messages", [[], [{"type": "http.request", "body": b"{", "more_body": True}]])
async def test_a_caller_that_leaves_before_its_body_is_in_gets_nothing(
    make_plane: MakePlane, messages: list[dict[str, Any]]
) -> None:
    upstream = Upstream()
    client = Client(*messages)
    client.gone.set()
    await request(make_plane(upstream), client)
    assert client.sent == []
    assert upstream.exchanges == []


async def test_hanging_up_before_the_answer_ends_the_call(make_plane: MakePlane, recorder: Recorder) -> None:
    client = asking()
    serving_task = asyncio.ensure_future(request(make_plane(Upstream(asyncio.Event())), client))
    await tick()
    client.gone.set()
    await tick()
    assert serving_task.done()
    await serving_task  # swallowed: for the server this is an ordinary end
    assert client.sent == []
    assert recorder.endings == ["cancelled"]


@pytest.mark.parametrize("blocked", [False, True])
async def test_hanging_up_in_the_middle_closes_the_upstream(
    make_plane: MakePlane, recorder: Recorder, blocked: bool
) -> None:
    answer = stream(delta("a"), delta("b"), asyncio.Event())
    client = asking(CHAT | {"stream": True})
    serving_task = asyncio.ensure_future(request(make_plane(Upstream(answer)), client))
    await tick()
    if blocked:  # a slow reader: the last piece waits for room when the caller goes
        client.blocked.clear()
    client.gone.set()
    await tick()
    assert serving_task.done()
    await serving_task
    assert answer.closed == 1
    assert recorder.endings == ["cancelled"]
    assert client.sent[-1]["more_body"]


async def test_hanging_up_before_the_head_is_sent_settles_the_stream(make_plane: MakePlane, recorder: Recorder) -> None:
    answer = stream(*spoken("a"))
    client = asking(CHAT | {"stream": True})
    client.blocked.clear()
    serving_task = asyncio.ensure_future(request(make_plane(Upstream(answer)), client))
    await tick()
    client.gone.set()
    await tick()
    assert serving_task.done()
    assert client.sent == []
    assert answer.closed == 1
    assert recorder.endings == ["cancelled"]


async def test_hanging_up_afterwards_is_nothing(make_plane: MakePlane, recorder: Recorder) -> None:
    client = await request(make_plane(Upstream(whole())))
    client.gone.set()
    await tick()
    assert recorder.endings == ["completed"]


async def test_a_send_that_fails_settles_the_stream(make_plane: MakePlane, recorder: Recorder) -> None:
    answer = stream(*spoken("a"))
    client = asking(CHAT | {"stream": True})

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            raise OSError("broken pipe")

    with pytest.raises(OSError, match="broken pipe"):
        await serving(make_plane(Upstream(answer)))(scope(), client.receive, send)
    assert answer.closed == 1
    assert recorder.endings == ["cancelled"]


async def test_a_server_that_shuts_down_is_not_a_caller_that_hangs_up(
    make_plane: MakePlane, recorder: Recorder
) -> None:
    serving_task = asyncio.ensure_future(request(make_plane(Upstream(asyncio.Event()))))
    await tick()
    serving_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving_task
    assert recorder.endings == ["cancelled"]


async def test_both_at_once_end_the_server(make_plane: MakePlane, recorder: Recorder) -> None:
    client = asking()
    serving_task = asyncio.ensure_future(request(make_plane(Upstream(asyncio.Event())), client))
    await tick()
    client.gone.set()
    await asyncio.sleep(0)  # the watch has seen it and cancelled; the server does too
    serving_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving_task
    assert recorder.endings == ["cancelled"]


async def test_no_watch_is_left_behind(make_plane: MakePlane) -> None:
    before = asyncio.all_tasks()
    await request(make_plane(Upstream(whole())))
    await tick()
    assert asyncio.all_tasks() == before


# Refusals


@pytest.mark.parametrize("at", ["/v1/nope", "/v1/", "/v1/chat/completions/", "/healthy", "/v1/models//"])
async def test_an_unknown_path_is_an_envelope(make_plane: MakePlane, at: str) -> None:
    client = await request(make_plane(), asking(b""), method="GET", at=at, headers=[(b"x-request-id", b"mine")])
    if client.status != 404:
        pytest.fail(f"{at} is {client.status}")
    assert client.headers[b"x-request-id"] == b"mine"
    assert client.headers[b"content-type"] == b"application/json"
    assert msgspec.json.decode(client.body)["error"].keys() == {"message", "type", "param", "code", "request_id"}


@pytest.mark.parametrize(
    ("method", "at", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/embeddings", "POST"),
        ("OPTIONS", "/v1/chat/completions", "POST"),
        ("HEAD", "/v1/chat/completions", "POST"),
        ("POST", "/v1/models", "GET"),
        ("BREW", "/health", "GET"),
    ],
)
async def test_a_wrong_method_says_which_is_right(make_plane: MakePlane, method: str, at: str, allowed: str) -> None:
    upstream = Upstream()
    client = await request(make_plane(upstream), method=method, at=at)
    assert (client.status, client.code) == (405, "method_not_allowed")
    assert client.headers[b"allow"] == allowed.encode()
    assert client.headers[b"x-request-id"].startswith(b"req_")
    assert upstream.exchanges == []


async def test_a_query_that_is_no_text_is_the_callers_fault(make_plane: MakePlane) -> None:
    client = await request(make_plane(), query_string=b"\xff")
    assert (client.status, client.code) == (400, "invalid_request")


async def test_a_long_path_is_cut_in_the_answer(make_plane: MakePlane) -> None:
    client = await request(make_plane(), method="GET", at="/v1/" + "x" * 50_000)
    assert client.status == 404
    assert len(client.body) < 600


def urls(*views: tuple[str, Any]) -> ModuleType:
    module = ModuleType("urls")
    module.urlpatterns = [path(at, view) for at, view in views]  # type: ignore[attr-defined]
    return module


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Serve these views instead."""

    def serve(**found: Any) -> None:
        monkeypatch.setattr(handler, "URLCONF", urls(*found.items()))
        handler._resolve.cache_clear()

    return serve


@pytest.fixture(autouse=True)
def no_remembered_paths() -> Iterable[None]:
    yield
    handler._resolve.cache_clear()


async def test_a_view_that_raises_is_a_500_with_its_request_id_and_a_log_line(
    make_plane: MakePlane, views: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(request: HttpRequest) -> ReplyResponse:
        raise ZeroDivisionError("the secret")

    views(broken=broken)
    with caplog.at_level(logging.ERROR):
        client = await request(make_plane(), at="/broken", headers=[(b"x-request-id", b"mine")])
    assert (client.status, client.code) == (500, "internal_error")
    assert client.headers[b"x-request-id"] == b"mine"
    assert b"the secret" not in client.body
    [entry] = [entry for entry in caplog.records if entry.name == "gateway.handler"]
    assert entry.exc_info is not None
    assert getattr(entry, "request_id", None) == "mine"


async def test_an_ordinary_response_is_sent_too(make_plane: MakePlane, views: Callable[..., None]) -> None:
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(b"<p>", status=201, headers={"X-Page": "1"})

    views(page=page)
    client = await request(make_plane(), at="/page")
    assert (client.status, client.body, client.headers[b"x-page"]) == (201, b"<p>", b"1")


async def test_a_call_keeps_the_plane_it_began_with(make_plane: MakePlane, views: Callable[..., None]) -> None:
    first, second = make_plane(), make_plane()
    planes = [first, second]

    async def which(request: Any) -> ReplyResponse:
        return ReplyResponse(Reply(200, [], body=b"first" if request.plane is first else b"second"))

    views(which=which)
    serve = DataPlaneHandler(lambda: planes.pop(0), max_body_bytes=BODY_MAX, max_upload_bytes=BODY_MAX)
    for expected in (b"first", b"second"):
        client = asking()
        await serve(scope(at="/which"), client.receive, client.send)
        assert client.body == expected


async def test_the_doors_behind_it_are_the_endpoints(make_plane: MakePlane) -> None:
    client = await request(make_plane(), asking(b""), method="GET", at="/v1/models/m")
    assert msgspec.json.decode(client.body)["id"] == "m"
    assert models.get_model.__doc__
