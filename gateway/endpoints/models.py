"""The list of models a key may use, in the words of whoever asks: three vendors have it at the same path."""

from datetime import UTC, datetime

import msgspec

from gateway import access
from gateway.endpoints.edge import caller_of, endpoint_in
from gateway.manner import ANTHROPIC, GEMINI, Manner, manner_of
from gateway.messages import JSON, Incoming, Reply
from gateway.plane import DataPlane
from providers.dialects.anthropic_messages import models as anthropic_wire
from providers.dialects.gemini_generate import models as gemini_wire
from routing.snapshot import Route


class Model(msgspec.Struct):
    """An entry of OpenAI's model list; `created` is in seconds since the epoch."""

    id: str
    created: int
    object: str = "model"
    owned_by: str = "llm-gateway"


class ModelList(msgspec.Struct):
    """Every model the key may use."""

    data: list[Model]
    object: str = "list"


@endpoint_in(None)
async def list_models(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer GET /v1/models and GET /v1beta/models: what this key may use, aliases included."""
    manner = manner_of(incoming)
    caller = await caller_of(plane, incoming, manner=manner)
    routes = access.usable_routes(plane.snapshot, caller)
    return Reply(200, [JSON], body=_write_list(routes, manner))


@endpoint_in(None)
async def get_model(plane: DataPlane, incoming: Incoming, request_id: str, name: str) -> Reply:
    """Answer GET /v1/models/{name} and GET /v1beta/models/{name}."""
    manner = manner_of(incoming)
    caller = await caller_of(plane, incoming, manner=manner)
    route = access.find_route(plane.snapshot, caller, name)
    return Reply(200, [JSON], body=_write_one(name, route, manner))


def _write_list(routes: list[Route], manner: Manner) -> bytes:
    if manner is GEMINI:
        return gemini_wire.encode_models([(route.name, route.default_max_output_tokens) for route in routes])
    if manner is ANTHROPIC:
        return anthropic_wire.encode_models([(route.name, _created_at(route)) for route in routes])
    return msgspec.json.encode(ModelList([Model(route.name, route.created_at_s) for route in routes]))


def _write_one(name: str, route: Route, manner: Manner) -> bytes:
    if manner is GEMINI:
        return gemini_wire.encode_model(name, route.default_max_output_tokens)
    if manner is ANTHROPIC:
        return anthropic_wire.encode_model(name, _created_at(route))
    return msgspec.json.encode(Model(name, route.created_at_s))


def _created_at(route: Route) -> datetime:
    return datetime.fromtimestamp(route.created_at_s, UTC)
