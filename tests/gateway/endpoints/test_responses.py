"""The Responses door over the built-in mock and scripted upstreams: made, kept, gone on from, read and forgotten."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.endpoints import responses
from gateway.messages import Incoming, Reply
from gateway.plane import DataPlane
from gateway.responses.base import StoredTurn
from gateway.responses.volatile import VolatileResponses
from kernel.errors import Unavailable
from tests.builders import Recorder, caller, connection, incoming, key_directory, route, snapshot, target
from tests.scripted import Answer, Upstream, refusal, spoken, stream, whole

MakePlane = Callable[..., DataPlane]
ASK = {"model": "m", "input": "hello"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def read(reply: Reply) -> Any:
    return msgspec.json.decode(reply.body)


async def create(plane: DataPlane, body: Any = None, **fields: Any) -> Any:
    """Create a response and return it; the fields go on top of the usual request."""
    reply = await responses.create_response(plane, incoming(ASK if body is None else body | fields))
    assert reply.status == 200, reply.body
    return read(reply)


def asked(query: str = "", **fields: Any) -> Incoming:
    return msgspec.structs.replace(incoming(**fields), query=query)


def sent(upstream: Upstream, number: int = -1) -> Any:
    body = upstream.exchanges[number].body
    assert isinstance(body, bytes)
    return json.loads(body)


def events_of(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in data.splitlines() if line.startswith(b"data: ")]


class Away(VolatileResponses):
    """A store whose database is away."""

    async def save(self, turn: StoredTurn) -> None:
        raise Unavailable("away")


def native(*answers: Answer) -> tuple[Upstream, Any]:
    """Return an upstream that speaks Responses itself, and the snapshot that leads there."""
    speaks = connection("theirs", "openai")
    return Upstream(*answers), snapshot(route((target("theirs", "gpt", connection=speaks),)))


def resource(name: str, text: str = "hi", **fields: Any) -> dict[str, Any]:
    message = {
        "type": "message",
        "id": f"msg_{name}",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    usual = {"id": f"resp_{name}", "object": "response", "status": "completed", "model": "gpt", "store": True}
    return usual | {"previous_response_id": None, "output": [message], "usage": usage} | fields


def said(value: dict[str, Any]) -> Answer:
    return Answer([msgspec.json.encode(value)])


# Made and kept


async def test_a_response_is_made_and_kept(make_plane: MakePlane, recorder: Recorder) -> None:
    plane = make_plane()
    made = await create(plane)
    assert (made["object"], made["status"], made["store"]) == ("response", "completed", True)
    assert made["output"][0]["content"][0]["text"] == "You said: hello"
    assert recorder.attempts[0].operation == "chat"
    found = await responses.get_response(plane, incoming(), made["id"])
    assert read(found) == made


async def test_what_is_not_to_be_kept_is_not(make_plane: MakePlane) -> None:
    plane = make_plane()
    made = await create(plane, ASK, store=False)
    assert made["store"] is False
    assert (await responses.get_response(plane, incoming(), made["id"])).status == 404


async def test_a_stream_is_kept_before_its_last_event_goes_out(make_plane: MakePlane) -> None:
    plane = make_plane(Upstream(stream(*spoken("a", "b", usage=USAGE))))
    reply = await responses.create_response(plane, incoming(ASK | {"stream": True}))
    assert reply.chunks is not None
    last: dict[str, Any] = {}
    async for chunk in reply.chunks:
        for last in events_of(chunk):
            name = last.get("response", {}).get("id")
            status = (await responses.get_response(plane, incoming(), name)).status if name else None
            assert status == {"response.completed": 200, None: None}.get(last["type"] if name else None, 404)
    await reply.chunks.aclose()
    assert last["type"] == "response.completed"
    assert reply.chunks.whole
    assert read(await responses.get_response(plane, incoming(), last["response"]["id"])) == last["response"]


async def test_a_stream_that_fails_is_not_kept(make_plane: MakePlane) -> None:
    store = VolatileResponses()
    plane = make_plane(Upstream(stream(next(iter(spoken("a"))))), responses=store)
    reply = await responses.create_response(plane, incoming(ASK | {"stream": True}))
    assert reply.chunks is not None
    events = events_of(b"".join([chunk async for chunk in reply.chunks]))
    assert events[-1]["type"] == "response.failed"
    assert await store.find(1, events[0]["response"]["id"]) is None


async def test_an_answer_that_can_not_be_kept_goes_out_and_says_so(
    make_plane: MakePlane, caplog: pytest.LogCaptureFixture
) -> None:
    plane = make_plane(responses=Away())
    reply = await responses.create_response(plane, incoming(ASK))
    assert (reply.status, read(reply)["store"]) == (200, False)
    assert dict(reply.headers)[b"x-gateway-store"] == b"failed"
    reply = await responses.create_response(plane, incoming(ASK | {"stream": True}))
    assert reply.chunks is not None
    assert events_of(b"".join([chunk async for chunk in reply.chunks]))[-1]["type"] == "response.completed"
    assert [record.message for record in caplog.records] == ["a response could not be kept"] * 2


# Gone on from


async def test_a_later_turn_reads_the_earlier_ones(make_plane: MakePlane) -> None:
    upstream = Upstream(*[whole(USAGE, text) for text in ("one", "two", "three")])
    plane = make_plane(upstream)
    first = await create(plane, ASK, instructions="be brief")
    second = await create(plane, ASK, input=[{"role": "user", "content": "and?"}], previous_response_id=first["id"])
    third = await create(plane, ASK, input="more", previous_response_id=second["id"])
    assert [message["content"] for message in sent(upstream)["messages"]] == ["hello", "one", "and?", "two", "more"]
    assert third["previous_response_id"] == second["id"]
    listed = read(await responses.list_input_items(plane, incoming(), third["id"]))
    assert [item["content"][0]["text"] for item in listed["data"]] == ["more"]


async def test_the_whole_conversation_is_admitted(make_plane: MakePlane) -> None:
    plane = make_plane()
    first = await create(plane, ASK, input="x" * 4000)
    reply = await responses.count_input_tokens(plane, incoming(ASK | {"previous_response_id": first["id"]}))
    alone = await responses.count_input_tokens(plane, incoming(ASK))
    assert read(reply)["object"] == "response.input_tokens"
    assert read(reply)["input_tokens"] > read(alone)["input_tokens"] + 400
    dry = incoming(ASK | {"previous_response_id": first["id"]}, x_gateway_dry_run="true")
    report = read(await responses.create_response(plane, dry))
    assert report["targets"][0]["input_tokens"] > 400


@pytest.mark.parametrize("call", [responses.create_response, responses.count_input_tokens, responses.compact_response])
async def test_unknown_earlier_turns_are_refused(make_plane: MakePlane, call: Any, recorder: Recorder) -> None:
    reply = await call(make_plane(), incoming(ASK | {"previous_response_id": "resp_none"}))
    error = read(reply)["error"]
    assert (reply.status, error["code"], error["param"]) == (
        400,
        "previous_response_not_found",
        "previous_response_id",
    )
    assert recorder.attempts == []


async def test_another_tenants_turns_are_unknown(make_plane: MakePlane) -> None:
    plane = make_plane(keys=key_directory(mine=caller(), same=caller(key_id=2), other=caller(key_id=3, tenant_id=2)))
    made = read(await responses.create_response(plane, incoming(ASK, secret="mine")))
    asking = ASK | {"previous_response_id": made["id"]}
    assert (await responses.get_response(plane, incoming(secret="same"), made["id"])).status == 200
    assert (await responses.create_response(plane, incoming(asking, secret="same"))).status == 200
    snapshot_of_other = await responses.get_response(plane, incoming(secret="other"), made["id"])
    assert (snapshot_of_other.status, read(snapshot_of_other)["error"]["code"]) == (404, "response_not_found")
    assert (await responses.delete_response(plane, incoming(secret="other"), made["id"])).status == 404
    refused = await responses.create_response(plane, incoming(asking, secret="other"))
    assert read(refused)["error"]["code"] == "previous_response_not_found"


async def test_with_a_key_a_call_is_made_once_and_kept_once(make_plane: MakePlane, recorder: Recorder) -> None:
    plane = make_plane()
    first = await responses.create_response(plane, incoming(ASK, idempotency_key="k"))
    again = await responses.create_response(plane, incoming(ASK, idempotency_key="k"))
    assert read(first) == read(again)
    assert dict(again.headers)[b"idempotency-replayed"] == b"true"
    assert len(recorder.attempts) == 1


# A provider who speaks it too


async def test_a_providers_own_answer_is_kept_by_its_id(make_plane: MakePlane) -> None:
    upstream, found = native(said(resource("a")), said(resource("b")))
    plane = make_plane(upstream, found, adapters={"openai_compatible": upstream})
    first = await create(plane)
    assert first == resource("a")
    second = await create(plane, ASK, input="and?", previous_response_id="resp_a", store=True)
    assert second["previous_response_id"] == "resp_a"
    assert "previous_response_id" not in sent(upstream)
    texts = [item["content"][0]["text"] for item in sent(upstream)["input"]]
    assert texts == ["hello", "hi", "and?"]
    assert "id" not in sent(upstream)["input"][0]  # the gateway's own name for it
    assert read(await responses.get_response(plane, incoming(), "resp_b"))["previous_response_id"] == "resp_a"
    assert read(await responses.delete_response(plane, incoming(), "resp_a")) == {
        "id": "resp_a",
        "object": "response",
        "deleted": True,
    }
    refused = await responses.create_response(plane, incoming(ASK | {"previous_response_id": "resp_b"}))
    assert read(refused)["error"]["code"] == "previous_response_not_found"


async def test_a_providers_own_answer_passes_byte_by_byte(make_plane: MakePlane) -> None:
    thin = b'{ "id": "resp_a",  "output": [] }'
    upstream, found = native(Answer([thin]))
    plane = make_plane(upstream, found, adapters={"openai_compatible": upstream})
    assert (await responses.create_response(plane, incoming(ASK))).body == thin
    assert read(await responses.get_response(plane, incoming(), "resp_a"))["store"] is True


async def test_a_providers_own_stream_is_kept(make_plane: MakePlane) -> None:
    events = [
        {"type": "response.created", "sequence_number": 0, "response": resource("a", status="in_progress")},
        {"type": "response.output_text.delta", "sequence_number": 1, "delta": "response.completed"},
        {"type": "response.completed", "sequence_number": 2, "response": resource("a")},
    ]
    pieces = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]
    joined = b"".join(pieces)
    upstream, found = native(stream(joined[:300], joined[300:]))
    plane = make_plane(upstream, found, adapters={"openai_compatible": upstream})
    reply = await responses.create_response(plane, incoming(ASK | {"stream": True}))
    assert reply.chunks is not None
    assert b"".join([chunk async for chunk in reply.chunks]) == joined
    assert read(await responses.get_response(plane, incoming(), "resp_a")) == resource("a")


async def test_an_answer_without_an_id_is_not_kept(make_plane: MakePlane) -> None:
    upstream, found = native(said(resource("a", id=None)))
    plane = make_plane(upstream, found, adapters={"openai_compatible": upstream})
    reply = await responses.create_response(plane, incoming(ASK))
    assert (reply.status, dict(reply.headers)[b"x-gateway-store"]) == (200, b"failed")


# Read and forgotten


async def test_a_deleted_response_is_gone(make_plane: MakePlane) -> None:
    plane = make_plane()
    made = await create(plane)
    reply = await responses.delete_response(plane, incoming(), made["id"])
    assert read(reply) == {"id": made["id"], "object": "response", "deleted": True}
    assert (await responses.delete_response(plane, incoming(), made["id"])).status == 404
    assert (await responses.get_response(plane, incoming(), made["id"])).status == 404


async def test_a_kept_response_is_not_streamed_again(make_plane: MakePlane) -> None:
    plane = make_plane()
    made = await create(plane)
    reply = await responses.get_response(plane, asked("stream=true"), made["id"])
    assert (reply.status, read(reply)["error"]["param"]) == (400, "stream")
    assert (await responses.get_response(plane, asked("stream=false"), made["id"])).status == 200


async def test_what_is_not_in_the_background_can_not_be_cancelled(make_plane: MakePlane) -> None:
    plane = make_plane()
    made = await create(plane)
    assert (await responses.cancel_response(plane, incoming(), made["id"])).status == 400
    assert (await responses.cancel_response(plane, incoming(), "resp_none")).status == 404


async def test_input_items_come_in_pages(make_plane: MakePlane) -> None:
    plane = make_plane()
    items = [{"role": "user", "content": text} for text in ("a", "b", "c")]
    made = await create(plane, ASK, input=items)

    async def page(query: str) -> Any:
        reply = await responses.list_input_items(plane, asked(query), made["id"])
        return reply.status, read(reply)

    _, first = await page("limit=2&order=asc")
    assert [item["content"][0]["text"] for item in first["data"]] == ["a", "b"]
    _, rest = await page(f"order=asc&after={first['last_id']}")
    assert ([item["content"][0]["text"] for item in rest["data"]], rest["has_more"]) == (["c"], False)
    _, usual = await page("")
    assert [item["content"][0]["text"] for item in usual["data"]] == ["c", "b", "a"]
    for query, param in [("limit=0", "limit"), ("limit=x", "limit"), ("order=up", "order"), ("after=no", "after")]:
        status, body = await page(query)
        assert (status, body["error"]["param"]) == (400, param)


# Refused


@pytest.mark.parametrize("call", [responses.create_response, responses.count_input_tokens, responses.compact_response])
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{", b"null", b"\xff", b"[" * 100_000, b'{"model": 7}', b'{"model": "m"}'),
        b'{"model":"m","input":"x","previous_response_id":7}',
        b'{"model":"m","input":"x","store":"yes"}',
    ],
)
async def test_nonsense_is_the_callers_fault(make_plane: MakePlane, call: Any, body: bytes) -> None:
    reply = await call(make_plane(), incoming(body))
    assert (reply.status, read(reply)["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("given", [7, [7], [{"type": 7}], {"a": 1}])
async def test_nonsense_after_an_earlier_turn_is_the_callers_fault(make_plane: MakePlane, given: Any) -> None:
    plane = make_plane()
    made = await create(plane)
    reply = await responses.create_response(plane, incoming(ASK | {"input": given, "previous_response_id": made["id"]}))
    assert (reply.status, read(reply)["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    "call",
    [
        responses.create_response,
        responses.count_input_tokens,
        responses.compact_response,
        lambda plane, asks: responses.get_response(plane, asks, "r"),
        lambda plane, asks: responses.delete_response(plane, asks, "r"),
        lambda plane, asks: responses.cancel_response(plane, asks, "r"),
        lambda plane, asks: responses.list_input_items(plane, asks, "r"),
    ],
)
async def test_keys_need_the_scope(make_plane: MakePlane, call: Any) -> None:
    plane = make_plane(keys=key_directory(sk_gw_test=caller(scopes=frozenset({"usage"}))))
    reply = await call(plane, incoming(ASK))
    assert (reply.status, read(reply)["error"]["code"]) == (403, "insufficient_scope")
    assert (await call(plane, incoming(ASK, secret=None))).status == 401


async def test_a_providers_refusal_is_told(make_plane: MakePlane) -> None:
    reply = await responses.create_response(make_plane(Upstream(refusal(400))), incoming(ASK))
    assert (reply.status, read(reply)["error"]["message"]) == (400, "said the provider")
