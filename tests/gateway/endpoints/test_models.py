"""The list of models in the words of whoever asks for it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from anthropic.types import ModelInfo
from google.genai.types import Model as GenaiModel

from gateway.endpoints import models as door
from gateway.messages import Reply
from gateway.plane import DataPlane
from routing.snapshot import RouteTable, Snapshot, Wildcard
from tests.builders import caller, incoming, key_directory, route, snapshot, target

MakePlane = Callable[..., DataPlane]


def read(reply: Reply) -> Any:
    return msgspec.json.decode(reply.body)


def asked(secret: str | None, path: str = "/v1/models", **headers: str) -> Any:
    return incoming(path=path, secret=secret, **headers)


def models() -> Snapshot:
    shared = route(name="b")
    anything = Wildcard("x/", "", route((target("p", "*"),), name="x/*"))
    table = RouteTable(exact={"b": shared, "alias": shared, "a/b": route(name="a/b")}, wildcards=(anything,))
    found = snapshot(shared, by_tenant={1: RouteTable(exact={"own": route(name="own")}, wildcards=())})
    return Snapshot(found.version, table, found.by_tenant, found.price_book, found.provider_slugs)


async def test_the_list_has_what_the_key_may_use(make_plane: MakePlane) -> None:
    keys = key_directory(all=caller(), limited=caller(allowed_routes=("own", "a/*")), other=caller(tenant_id=2))
    plane = make_plane(found=models(), keys=keys)
    lists = {}
    for secret in ("all", "limited", "other"):
        body = read(await door.list_models(plane, asked(secret)))
        assert body["object"] == "list"
        assert {entry["object"] for entry in body["data"]} == {"model"}
        lists[secret] = {entry["id"] for entry in body["data"]}
    assert lists["limited"] == {"own", "a/b"}
    assert "own" not in lists["other"]
    assert lists["all"] >= {"own", "a/b", "b"}


@pytest.mark.parametrize(
    ("name", "secret", "status"),
    [("b", "all", 200), ("a/b", "all", 200), ("x/any", "all", 200), ("b", "limited", 403), ("no", "all", 404)],
)
async def test_one_model(make_plane: MakePlane, name: str, secret: str, status: int) -> None:
    plane = make_plane(found=models(), keys=key_directory(all=caller(), limited=caller(allowed_routes=("own",))))
    reply = await door.get_model(plane, asked(secret), name)
    assert reply.status == status
    if status == 200:
        assert read(reply) == {"id": name, "object": "model", "created": 0, "owned_by": "llm-gateway"}


@pytest.mark.parametrize("secret", [None, "sk-gw-wrong"])
async def test_models_want_a_key(make_plane: MakePlane, secret: str | None) -> None:
    assert (await door.list_models(make_plane(), asked(secret))).status == 401
    assert (await door.get_model(make_plane(), asked(secret), "m")).status == 401


async def test_anthropics_clients_get_a_page(make_plane: MakePlane) -> None:
    plane = make_plane(found=models(), keys=key_directory(all=caller()))
    reply = await door.list_models(plane, asked("all", anthropic_version="2023-06-01"))
    page = read(reply)
    assert (page["has_more"], page["first_id"], page["last_id"]) == (False, "a/b", "own")
    assert [ModelInfo.model_validate(entry).id for entry in page["data"]] == ["a/b", "alias", "b", "own"]
    one = read(await door.get_model(plane, asked("all", "/v1/models/b", anthropic_version="2023-06-01"), "b"))
    assert ModelInfo.model_validate(one).display_name == "b"


@pytest.mark.parametrize(("path", "headers"), [("/v1/models", {"x_goog_api_key": "all"}), ("/v1beta/models", {})])
async def test_geminis_clients_get_resources(make_plane: MakePlane, path: str, headers: dict[str, str]) -> None:
    plane = make_plane(found=models(), keys=key_directory(all=caller()))
    listed = read(await door.list_models(plane, asked("all", path, **headers)))["models"]
    assert [entry["name"] for entry in listed] == ["models/a/b", "models/alias", "models/b", "models/own"]
    assert "generateContent" in listed[0]["supportedGenerationMethods"]
    GenaiModel.model_validate({key: value for key, value in listed[0].items() if key in GenaiModel.model_fields})


async def test_a_key_in_the_query_is_geminis_way_only(make_plane: MakePlane) -> None:
    plane = make_plane(found=models(), keys=key_directory(all=caller()))
    found = asked(None, "/v1beta/models")
    assert (await door.list_models(plane, msgspec.structs.replace(found, query="key=all"))).status == 200
    refused = await door.list_models(plane, msgspec.structs.replace(found, query="key=other"))
    assert (refused.status, read(refused)["error"]["status"]) == (401, "UNAUTHENTICATED")
