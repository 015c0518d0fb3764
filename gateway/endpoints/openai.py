"""The OpenAI door: chat completions, legacy completions, embeddings and models."""

from functools import partial

import msgspec

from gateway import access, dry_run, pipeline
from gateway.endpoints.edge import caller_of, endpoint, require_plain_body
from gateway.idempotency.once import once
from gateway.messages import JSON, Incoming, Reply
from gateway.plane import DataPlane
from providers.dialects.canonical import Operation
from routing.snapshot import Route


class Model(msgspec.Struct):
    """An entry of the model list; `created` is in seconds since the epoch."""

    id: str
    created: int
    object: str = "model"
    owned_by: str = "llm-gateway"


class ModelList(msgspec.Struct):
    """Every model the key may use."""

    data: list[Model]
    object: str = "list"


async def _call(plane: DataPlane, incoming: Incoming, request_id: str, operation: Operation) -> Reply:
    caller = await caller_of(plane, incoming)
    require_plain_body(incoming)
    if dry_run.is_asked(incoming):
        return await dry_run.answer(plane, caller, operation, incoming, request_id)
    serve = partial(pipeline.serve, plane, caller, operation, incoming, request_id)
    return await once(plane.idempotency, caller, incoming, request_id, serve)


@endpoint
async def chat_completions(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/chat/completions."""
    return await _call(plane, incoming, request_id, Operation.CHAT)


@endpoint
async def completions(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/completions."""
    return await _call(plane, incoming, request_id, Operation.COMPLETION)


@endpoint
async def embeddings(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer POST /v1/embeddings."""
    return await _call(plane, incoming, request_id, Operation.EMBEDDING)


@endpoint
async def list_models(plane: DataPlane, incoming: Incoming, request_id: str) -> Reply:
    """Answer GET /v1/models: what this key may use, aliases included."""
    caller = await caller_of(plane, incoming)
    models = [_describe(route.name, route) for route in access.usable_routes(plane.snapshot, caller)]
    return Reply(200, [JSON], body=msgspec.json.encode(ModelList(models)))


@endpoint
async def get_model(plane: DataPlane, incoming: Incoming, request_id: str, name: str) -> Reply:
    """Answer GET /v1/models/{name}."""
    caller = await caller_of(plane, incoming)
    route = access.find_route(plane.snapshot, caller, name)
    return Reply(200, [JSON], body=msgspec.json.encode(_describe(name, route)))


def _describe(name: str, route: Route) -> Model:
    return Model(id=name, created=route.created_at_s)
