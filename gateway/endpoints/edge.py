"""The edge that every door shares: request id in and out, the caller, errors in the caller's own words."""

import logging
from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec
from urllib.parse import parse_qs

from gateway import access
from gateway.manner import OPENAI, Manner, manner_of
from gateway.messages import JSON, Incoming, Reply
from gateway.plane import DataPlane
from kernel.errors import GatewayError, InternalError, InvalidRequest, UpstreamRefused
from kernel.ids import is_sane_request_id, new_id
from tenants.keys import Caller

logger = logging.getLogger("gateway.edge")
P = ParamSpec("P")
Endpoint = Callable[Concatenate[DataPlane, Incoming, str, P], Awaitable[Reply]]
Answering = Callable[Concatenate[DataPlane, Incoming, P], Awaitable[Reply]]
IDENTITY_ENCODINGS = (b"", b"identity")


def request_id_of(incoming: Incoming) -> str:
    """Return the caller's own request id where it is a sane one, else a new one."""
    given = incoming.headers.get(b"x-request-id", b"").decode("latin-1")
    return given if given and is_sane_request_id(given) else new_id("req")


def endpoint_in(manner: Manner | None) -> Callable[[Endpoint[P]], Answering[P]]:
    """Turn a function that may raise GatewayError into one that always replies, with the request id on it.

    Errors are said in that manner; None means the one that the sender of each request expects.
    """

    def wrap(function: Endpoint[P]) -> Answering[P]:
        async def answer(plane: DataPlane, incoming: Incoming, /, *args: P.args, **kwargs: P.kwargs) -> Reply:
            request_id = request_id_of(incoming)
            spoken = manner or manner_of(incoming)
            try:
                reply = await function(plane, incoming, request_id, *args, **kwargs)
            except GatewayError as error:
                reply = error_reply(error, request_id=request_id, manner=spoken)
            except Exception:
                logger.exception("unexpected error", extra={"request_id": request_id, "path": incoming.path})
                failure = InternalError("The gateway failed to serve this request; its log has the details.")
                reply = error_reply(failure, request_id=request_id, manner=spoken)
            name_request(reply, request_id, spoken)
            return reply

        answer.__name__ = function.__name__
        answer.__doc__ = function.__doc__
        return answer

    return wrap


endpoint = endpoint_in(OPENAI)


def name_request(reply: Reply, request_id: str, manner: Manner) -> None:
    """Write the request id into the answer's head."""
    value = request_id.encode()
    reply.headers += [(name, value) for name in manner.id_headers]


def error_reply(error: GatewayError, *, request_id: str, manner: Manner = OPENAI) -> Reply:
    """Return an error in the manner's envelope; a provider's own envelope passes as it came."""
    headers = [JSON, *error.headers]
    if error.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(error.retry_after_s))))
    if isinstance(error, UpstreamRefused) and error.body is not None:
        return Reply(error.status, headers, body=error.body)
    errors = manner.errors
    return Reply(errors.status_of(error), headers, body=errors.encode_error(error, request_id=request_id))


async def caller_of(plane: DataPlane, incoming: Incoming, *, manner: Manner = OPENAI) -> Caller:
    """Return the live caller. Raises AuthenticationFailed and PermissionRefused."""
    if manner.query_key is not None and incoming.query:
        given = parse_qs(incoming.query).get(manner.query_key)
        if given:
            return await access.authenticate(plane.keys, given[0][: access.SECRET_BYTES_MAX + 1])
    return await access.authenticate(plane.keys, access.read_secret(incoming))


def require_plain_body(incoming: Incoming) -> None:
    """Raise InvalidRequest for a compressed body, or one not in UTF-8: what can't be read can't be routed or priced."""
    encoding = incoming.headers.get(b"content-encoding", b"").strip().lower()
    if encoding not in IDENTITY_ENCODINGS:
        shown = encoding.decode("latin-1")[:40]
        raise InvalidRequest(
            f"Request bodies must not be compressed; this one says content-encoding: {shown}.",
            code="unsupported_content_encoding",
        )
    if not incoming.body.isascii():  # parsers look only into the texts that they are asked for
        try:
            incoming.body.decode()
        except UnicodeDecodeError as error:
            message = f"We could not parse the JSON body of your request: {error}"
            raise InvalidRequest(message, code="invalid_json") from error


def require_form(incoming: Incoming) -> None:
    """Raise InvalidRequest for a body that is no form: the files of the call are missing."""
    if incoming.upload is None:
        raise InvalidRequest("Send this request as multipart/form-data.", code="invalid_content_type")
