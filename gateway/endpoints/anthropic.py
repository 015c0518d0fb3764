"""The Anthropic door: messages, whole and streamed, and counting their tokens."""

from gateway.endpoints.counting import count_tokens as count
from gateway.endpoints.edge import endpoint_in
from gateway.endpoints.serving import serve_call
from gateway.manner import ANTHROPIC
from gateway.messages import Incoming, Reply
from gateway.plane import DataPlane
from providers.dialects import doors
from providers.dialects.anthropic_messages.versions import require_version

VERSION_HEADER = b"anthropic-version"


@endpoint_in(ANTHROPIC)
async def messages(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/messages."""
    return await serve_call(plane, incoming, request_id, doors.MESSAGES, check=_check_version)


@endpoint_in(ANTHROPIC)
async def count_tokens(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/messages/count_tokens."""
    return await count(plane, incoming, request_id, doors.COUNT_MESSAGES, check=_check_version)


def _check_version(incoming: Incoming) -> None:
    require_version(incoming.headers.get(VERSION_HEADER), incoming.body)
