"""The OpenAI door over the built-in mock: three operations and the list of models."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.endpoints import openai
from gateway.messages import Reply
from gateway.plane import DataPlane
from routing.snapshot import RouteTable, Snapshot, Wildcard
from tests.builders import CHAT, Recorder, caller, incoming, key_directory, route, snapshot, target

MakePlane = Callable[..., DataPlane]


def read(reply: Reply) -> Any:
    return msgspec.json.decode(reply.body)


async def test_a_chat_completion(make_plane: MakePlane, recorder: Recorder) -> None:
    reply = await openai.chat_completions(make_plane(), incoming(CHAT))
    assert reply.status == 200
    answer = read(reply)
    assert (answer["object"], answer["model"]) == ("chat.completion", "mock-small")
    assert answer["choices"][0]["message"]["content"] == "You said: hello"
    assert recorder.attempts[0].operation == "chat"


async def test_a_completion(make_plane: MakePlane, recorder: Recorder) -> None:
    reply = await openai.completions(make_plane(), incoming({"model": "m", "prompt": "hello"}))
    assert read(reply)["choices"][0]["text"] == "You said: hello"
    assert recorder.attempts[0].operation == "completion"


async def test_embeddings(make_plane: MakePlane, recorder: Recorder) -> None:
    reply = await openai.embeddings(make_plane(), incoming({"model": "m", "input": ["a", "b"], "dimensions": 8}))
    assert [len(entry["embedding"]) for entry in read(reply)["data"]] == [8, 8]
    [record] = recorder.attempts
    assert (record.operation, record.usage.input_tokens, record.usage.output_tokens) == ("embedding", 2, 0)


@pytest.mark.parametrize("call", [openai.chat_completions, openai.completions, openai.embeddings])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"model": 7}', b"\xff", b"[" * 100_000])
async def test_nonsense_is_the_callers_fault(make_plane: MakePlane, call: Any, body: bytes) -> None:
    reply = await call(make_plane(), incoming(body))
    assert (reply.status, read(reply)["error"]["type"]) == (400, "invalid_request_error")


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
        body = read(await openai.list_models(plane, incoming(secret=secret)))
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
    reply = await openai.get_model(plane, incoming(secret=secret), name)
    assert reply.status == status
    if status == 200:
        assert read(reply) == {"id": name, "object": "model", "created": 0, "owned_by": "llm-gateway"}


@pytest.mark.parametrize("secret", [None, "sk-gw-wrong"])
async def test_models_want_a_key(make_plane: MakePlane, secret: str | None) -> None:
    assert (await openai.list_models(make_plane(), incoming(secret=secret))).status == 401
    assert (await openai.get_model(make_plane(), incoming(secret=secret), "m")).status == 401
