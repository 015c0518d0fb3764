"""The ASGI application: one lifecycle, one data-plane handler, the control plane beside it."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from django.urls import path, re_path

from gateway.call import Observer
from gateway.consumers import ChatConsumer, refuse_socket
from gateway.endpoints.websocket import Limits
from gateway.handler import DataPlaneHandler, Receive, Scope, Send
from gateway.lifecycle import Lifecycle
from gateway.responses_socket import ResponsesSocket, SocketLimits
from monitoring.call_log import CallLog
from monitoring.metrics import MetricsObserver

ASGIApplication = Callable[[Any, Any, Any], Awaitable[None]]
DATA_PLANE_PREFIXES = ("/v1/", "/v1beta/", "/passthrough/", "/health", "/ready")
DATA_PLANE_ROOT = "/v1"

logger = logging.getLogger("gateway_project.application")


def build_application(control_plane: ASGIApplication) -> ASGIApplication:
    """Return the whole application."""
    observers: list[Observer] = [MetricsObserver(), CallLog(log_successes=settings.GATEWAY_LOG_CALLS)]
    lifecycle = Lifecycle(observers)
    data_plane = DataPlaneHandler(
        lambda: lifecycle.plane,
        max_body_bytes=settings.GATEWAY_MAX_BODY_BYTES,
        max_upload_bytes=settings.GATEWAY_MAX_UPLOAD_BYTES,
    )

    sockets = _route_sockets(lifecycle)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            if scope["path"].startswith(DATA_PLANE_PREFIXES) or scope["path"] == DATA_PLANE_ROOT:
                await lifecycle.ensure_started()
                await data_plane(scope, receive, send)
            else:
                await control_plane(scope, receive, send)
        elif kind == "websocket":
            await lifecycle.ensure_started()
            await sockets(scope, receive, send)
        elif kind == "lifespan":
            await _live(lifecycle, receive, send)

    return application


def _route_sockets(lifecycle: Lifecycle) -> ASGIApplication:
    limits = Limits(frame_bytes_max=settings.GATEWAY_MAX_BODY_BYTES)
    chat = ChatConsumer.as_asgi(plane=lambda: lifecycle.plane, limits=limits)
    turn_limits = SocketLimits(frame_bytes_max=settings.GATEWAY_MAX_BODY_BYTES)
    responses: Any = ResponsesSocket(plane=lambda: lifecycle.plane, limits=turn_limits)
    elsewhere: Any = refuse_socket  # no view, as Django's types would have it
    routes: ASGIApplication = URLRouter(
        [path("v1/gateway/ws", chat), path("v1/responses", responses), re_path("", elsewhere)]
    )
    return routes


async def _live(lifecycle: Lifecycle, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await lifecycle.ensure_started()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await lifecycle.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
