"""The Gemini door: a method of a model, named at the end of the path: `models/{model}:{method}`."""

from urllib.parse import parse_qs

from msgspec.structs import replace

from gateway.endpoints.counting import count_tokens
from gateway.endpoints.edge import endpoint_in
from gateway.endpoints.serving import serve_call
from gateway.manner import GEMINI
from gateway.messages import Incoming, Reply
from gateway.plane import DataPlane
from kernel.errors import NotFound
from providers.dialects import doors
from providers.dialects.codec import PathFacts
from providers.dialects.door import Door

_METHODS = ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")


@endpoint_in(GEMINI)
async def call_model(plane: DataPlane, incoming: Incoming, request_id: str, rest: str) -> Reply:
    """Answer POST /v1beta/models/{model}:{method} and the same under /v1."""
    model, _, method = rest.rpartition(":")
    if not model or method not in _METHODS:
        shown = ", ".join(_METHODS)
        raise NotFound(f"There is no method '{method[:60]}' of a model; there are {shown}.", code="unknown_method")
    asked = replace(incoming, said=PathFacts(model, stream=method == "streamGenerateContent"))
    if method == "countTokens":
        return await count_tokens(plane, asked, request_id, doors.COUNT_CONTENT)
    return await serve_call(plane, asked, request_id, _door_of(method, incoming.query))


def _door_of(method: str, query: str) -> Door:
    if method == "streamGenerateContent" and parse_qs(query).get("alt") != ["sse"]:
        return doors.GENERATE_ARRAY
    return {"embedContent": doors.EMBED_ONE, "batchEmbedContents": doors.EMBED_MANY}.get(method, doors.GENERATE)
