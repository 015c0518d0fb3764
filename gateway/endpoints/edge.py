"""The edge that every OpenAI-shaped door shares: request id in and out, the caller, errors as an envelope."""

import logging
from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec

from gateway import access
from gateway.messages import JSON, Incoming, Reply
from gateway.plane import DataPlane
from kernel.errors import GatewayError, InternalError, InvalidRequest, UpstreamRefused
from kernel.ids import is_sane_request_id, new_id
from providers.dialects.openai_chat.errors import encode_error
from tenants.keys import Caller

logger = logging.getLogger("gateway.edge")
P = ParamSpec("P")
Endpoint = Callable[Concatenate[DataPlane, Incoming, str, P], Awaitable[Reply]]
IDENTITY_ENCODINGS = (b"", b"identity")


def request_id_of(incoming: Incoming) -> str:
    """Return the caller's own request id where it is a sane one, else a new one."""
    given = incoming.headers.get(b"x-request-id", b"").decode("latin-1")
    return given if given and is_sane_request_id(given) else new_id("req")


def endpoint(function: Endpoint[P]) -> Callable[Concatenate[DataPlane, Incoming, P], Awaitable[Reply]]:
    """Turn a function that may raise GatewayError into one that always replies, with the request id on it."""

    async def answer(plane: DataPlane, incoming: Incoming, /, *args: P.args, **kwargs: P.kwargs) -> Reply:
        request_id = request_id_of(incoming)
        try:
            reply = await function(plane, incoming, request_id, *args, **kwargs)
        except GatewayError as error:
            reply = error_reply(error, request_id=request_id)
        except Exception:
            logger.exception("unexpected error", extra={"request_id": request_id, "path": incoming.path})
            failure = InternalError("The gateway failed to serve this request; its log has the details.")
            reply = error_reply(failure, request_id=request_id)
        reply.headers.append((b"x-request-id", request_id.encode()))
        return reply

    answer.__name__ = function.__name__
    answer.__doc__ = function.__doc__
    return answer


def error_reply(error: GatewayError, *, request_id: str) -> Reply:
    """Return an error in OpenAI's envelope; a provider's own envelope passes as it came."""
    headers = [JSON, *error.headers]
    if error.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(error.retry_after_s))))
    if isinstance(error, UpstreamRefused) and error.body is not None:
        return Reply(error.status, headers, body=error.body)
    return Reply(error.status, headers, body=encode_error(error, request_id=request_id))


async def caller_of(plane: DataPlane, incoming: Incoming) -> Caller:
    """Return the live caller. Raises AuthenticationFailed and PermissionRefused."""
    return await access.authenticate(plane.keys, access.read_secret(incoming))


def require_plain_body(incoming: Incoming) -> None:
    """Raise InvalidRequest for a compressed body: what can't be read can't be routed or priced."""
    encoding = incoming.headers.get(b"content-encoding", b"").strip().lower()
    if encoding not in IDENTITY_ENCODINGS:
        shown = encoding.decode("latin-1")[:40]
        raise InvalidRequest(
            f"Request bodies must not be compressed; this one says content-encoding: {shown}.",
            code="unsupported_content_encoding",
        )
