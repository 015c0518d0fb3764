"""Compaction: by the provider where it does that, else by a summary that the gateway reads back."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from gateway.endpoints import responses
from gateway.plane import DataPlane
from tests.builders import Recorder, connection, incoming, route, snapshot, target
from tests.scripted import Answer, Upstream, whole

MakePlane = Callable[..., DataPlane]
ASK: dict[str, Any] = {"model": "m", "input": [{"role": "user", "content": "hello"}], "instructions": "be brief"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def sent(upstream: Upstream, number: int) -> list[dict[str, Any]]:
    """Return the messages of an exchange."""
    body = upstream.exchanges[number].body
    assert isinstance(body, bytes)
    messages: list[dict[str, Any]] = json.loads(body)["messages"]
    return messages


async def test_a_summary_is_asked_for_and_read_back(make_plane: MakePlane, recorder: Recorder) -> None:
    upstream = Upstream(whole(USAGE, "they said hello"), whole(USAGE, "yes"))
    plane = make_plane(upstream)
    reply = await responses.compact_response(plane, incoming(ASK))
    compacted: dict[str, Any] = json.loads(reply.body)
    assert (reply.status, compacted["object"]) == (200, "response.compaction")
    assert compacted["usage"]["input_tokens"] == 7
    [item] = compacted["output"]
    assert (item["type"], recorder.attempts[0].operation) == ("compaction", "chat")
    system, hello, question = sent(upstream, 0)
    assert (system["content"], hello["content"]) == ("be brief", "hello")
    assert "Summarise" in question["content"]

    await responses.create_response(plane, incoming({"model": "m", "input": [item, ASK["input"][0]]}))
    summary, _ = sent(upstream, 1)
    assert summary["role"] == "user"
    assert summary["content"].endswith("they said hello")


async def test_an_earlier_conversation_is_compacted(make_plane: MakePlane) -> None:
    upstream = Upstream(whole(USAGE, "one"), whole(USAGE, "short"))
    plane = make_plane(upstream)
    made = json.loads((await responses.create_response(plane, incoming(ASK))).body)
    await responses.compact_response(plane, incoming({"model": "m", "previous_response_id": made["id"]}))
    contents = [message["content"] for message in sent(upstream, 1)]
    assert contents[:2] == ["hello", "one"]


async def test_an_empty_summary_is_none(make_plane: MakePlane) -> None:
    reply = await responses.compact_response(make_plane(Upstream(whole(USAGE, ""))), incoming(ASK))
    assert (reply.status, json.loads(reply.body)["error"]["type"]) == (502, "upstream_error")


async def test_a_provider_who_compacts_is_left_to_it(make_plane: MakePlane, recorder: Recorder) -> None:
    usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    answered = {"id": "resp_c", "object": "response.compaction", "created_at": 1, "output": [], "usage": usage}
    upstream = Upstream(Answer([msgspec.json.encode(answered)]))
    speaks = connection("theirs", "openai")
    found = snapshot(route((target("theirs", "gpt", connection=speaks),)))
    plane = make_plane(upstream, found, adapters={"openai_compatible": upstream})
    reply = await responses.compact_response(plane, incoming(ASK))
    assert json.loads(reply.body) == answered
    assert recorder.attempts[0].operation == "compaction"


async def test_a_dry_run_compacts_nothing(make_plane: MakePlane, recorder: Recorder) -> None:
    reply = await responses.compact_response(make_plane(), incoming(ASK, x_gateway_dry_run="true"))
    assert (reply.status, json.loads(reply.body)["verdict"]) == (200, "admitted")
    assert recorder.attempts == []
