"""Django's ASGI handler without what the data plane does not need.

Stock Django spends most of a request on thread hops: two signals with synchronous receivers, a thread-sensitive
context, a spooled file for the body, two tasks, and a hop to close the response. None of it concerns a call that
touches no ORM and no middleware. What stays is Django's request, its URL resolver, the view, and a watch on the
caller's connection that cancels the view, and with it the upstream, when the caller hangs up.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from functools import lru_cache
from inspect import isawaitable
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, get_resolver

from gateway.endpoints.edge import error_reply, name_request, request_id_of
from gateway.manner import manner_of
from gateway.messages import Headers, Incoming, Reply, StreamCut
from gateway.plane import DataPlane
from gateway.turn import Turn
from gateway.uploads import UploadCut, receive_upload
from kernel.errors import BodyTooLarge, GatewayError, InternalError, InvalidRequest, MethodNotAllowed, NotFound

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
URLCONF = "gateway.urls"
# Where a server offers a short way for whole answers: a function of status, headers and body that returns what sends
# the answer. Without it, or where it returns None, the answer goes the way of ASGI.
WHOLE = "gateway.whole_answer"
WholeAnswer = Callable[[int, Headers, bytes], Callable[[], None] | None]
FORM = b"multipart/form-data"
RAW_PATHS = "/passthrough/"  # whose bodies, forms too, go on as they came
PATHS_REMEMBERED_MAX = 512

logger = logging.getLogger("gateway.handler")


class ReplyResponse(HttpResponseBase):
    """A framework response that only carries a Reply to the handler, which sends it as it is.

    It has none of a response's own state: making that would cost more than routing the call.
    """

    def __init__(self, reply: Reply) -> None:
        self.reply = reply


class ClientDisconnected(Exception):
    """The caller was gone before its request was in."""


class DataPlaneRequest(ASGIRequest):
    """A request with the plane it is served by and the framework-free form of itself."""

    plane: DataPlane
    incoming: Incoming


class DataPlaneHandler(ASGIHandler):
    """Serves the URLs of `gateway.urls`."""

    request_class = DataPlaneRequest

    def __init__(self, plane: Callable[[], DataPlane], *, max_body_bytes: int, max_upload_bytes: int) -> None:
        super().__init__()
        self._plane = plane
        self._max_body_bytes = max_body_bytes
        self._max_upload_bytes = max_upload_bytes

    def load_middleware(self, is_async: bool = False) -> None:
        """Load none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a caller that hangs up cancels it."""
        task = asyncio.current_task()
        assert task is not None
        watch: asyncio.Task[None] | None = None
        incoming: Incoming | None = None
        try:
            incoming = await self._hear(scope, receive)
            watch = asyncio.get_running_loop().create_task(_cancel_on_disconnect(receive, task))
            plane = self._plane()
            reply = await self._reply(scope, incoming, plane)
            if not _answer_whole(scope, reply, plane.turn):
                await _send_reply(reply, send)
        except (ClientDisconnected, UploadCut):
            return
        except asyncio.CancelledError:
            if watch is None or not watch.done() or task.uncancel():
                raise  # the server is shutting down, not (or not only) the caller hanging up
        finally:
            if watch is not None:
                watch.cancel()
            if incoming is not None and incoming.upload is not None:
                incoming.upload.close()

    async def _hear(self, scope: Scope, receive: Receive) -> Incoming:
        """Return the request; one whose body can't be taken has the reason in its place."""
        headers = dict(scope["headers"])
        upload, body, refusal = None, b"", None
        try:
            if scope["path"].startswith(RAW_PATHS):
                body = await self._read(receive, max_bytes=self._max_upload_bytes)
            elif headers.get(b"content-type", b"")[:20].lower().startswith(FORM):
                body, upload = await receive_upload(
                    receive, content_type=headers[b"content-type"], max_bytes=self._max_upload_bytes
                )
            else:
                body = await self._read(receive)
        except InvalidRequest as error:
            refusal = error
        query = scope.get("query_string", b"").decode("latin-1")
        return Incoming(scope["method"], scope["path"], headers, body, query, upload, refusal=refusal)

    async def _read(self, receive: Receive, *, max_bytes: int | None = None) -> bytes:
        """Return the body. Raises BodyTooLarge (the rest is read and dropped, so that the answer arrives)."""
        max_bytes = self._max_body_bytes if max_bytes is None else max_bytes
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        body: bytes = message.get("body", b"")
        if not message.get("more_body"):
            return _bounded([body], len(body), max_bytes)
        parts, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            size += len(message.get("body", b""))
            if size <= max_bytes:
                parts.append(message.get("body", b""))
            elif size > 4 * max_bytes:
                break
        return _bounded(parts, size, max_bytes)

    async def _reply(self, scope: Scope, incoming: Incoming, plane: DataPlane) -> Reply:
        if incoming.refusal is not None:
            return _refusal(incoming.refusal, incoming)
        try:
            request = self.request_class(scope, BytesIO(incoming.body))
        except UnicodeDecodeError:
            return _refusal(InvalidRequest("The request line is not valid UTF-8."), incoming)
        request.plane, request.incoming = plane, incoming
        return await self._respond(request)

    async def _respond(self, request: DataPlaneRequest) -> Reply:
        try:
            match = _resolve(request.path_info)
            request.resolver_match = match
            view: Any = match.func
            response: HttpResponseBase = view(request, *match.args, **match.kwargs)
            if isawaitable(response):  # all but Ninja's two pages of documentation
                response = await response
        except Http404:
            return _refusal(NotFound(f"Unknown path: {request.method} {request.path[:200]}"), request.incoming)
        except Exception:
            refusal = _refusal(InternalError("The gateway failed to serve this request."), request.incoming)
            logger.exception("view failed", extra={"path": request.path, "request_id": _id_of(refusal)})
            return refusal
        if isinstance(response, ReplyResponse):
            return response.reply
        if response.status_code == 405:
            message = f"{request.method} is not allowed for {request.path[:200]}"
            return _refusal(MethodNotAllowed(message), request.incoming, allow=response.get("Allow", ""))
        assert isinstance(response, HttpResponse)
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
        return Reply(response.status_code, headers, body=response.content)


def _bounded(parts: list[bytes], size: int, max_bytes: int) -> bytes:
    if size > max_bytes:
        raise BodyTooLarge(f"The body is larger than {max_bytes} bytes.")
    return b"".join(parts)


@lru_cache(maxsize=PATHS_REMEMBERED_MAX)
def _resolve(path: str) -> ResolverMatch:
    return get_resolver(URLCONF).resolve(path)


async def _cancel_on_disconnect(receive: Receive, task: "asyncio.Task[Any]") -> None:
    message = await receive()
    if message["type"] == "http.disconnect":
        task.cancel()


def _answer_whole(scope: Scope, reply: Reply, turn: Turn) -> bool:
    """Answer at the end of the turn, where the server can; else have what goes before a whole answer done now."""
    if reply.chunks is not None:
        return False
    answer: WholeAnswer | None = scope.get(WHOLE)
    send = answer(reply.status, reply.headers, reply.body) if answer else None
    if send is None:
        turn.end()
        return False
    turn.answer(send)
    return True


async def _send_reply(reply: Reply, send: Send) -> None:
    start = {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
    if reply.chunks is None:
        reply.headers.append((b"content-length", b"%d" % len(reply.body)))
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})
        return
    async with aclosing(reply.chunks) as chunks:
        await send(start)
        with suppress(StreamCut):  # without its last message the server cuts the connection
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body"})


def _id_of(reply: Reply) -> str:
    return dict(reply.headers)[b"x-request-id"].decode()


def _refusal(error: GatewayError, incoming: Incoming, *, allow: str = "") -> Reply:
    request_id = request_id_of(incoming)
    manner = manner_of(incoming)
    reply = error_reply(error, request_id=request_id, manner=manner)
    name_request(reply, request_id, manner)
    if allow:
        reply.headers.append((b"allow", allow.encode()))
    return reply
