"""A kept turn comes back as items with ids, in the API's own lists, and the next turn goes on from it."""

import json
from typing import Any

import msgspec
import pytest
from openai.types.responses.response_item_list import ResponseItemList

from kernel.errors import InvalidRequest
from providers.dialects.openai_responses.asking import decode_request
from providers.dialects.openai_responses.keeping import (
    cancelled,
    deleted,
    ended_response,
    id_of,
    input_items,
    list_items,
    read_items,
    read_wish,
    told,
    turn_items,
    with_history,
)
from tests.providers.dialects.openai_responses import cassettes

CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c", "output": "cold"}
GIVEN: list[Any] = [
    {"role": "user", "content": "Oslo?"},
    {"role": "assistant", "content": "Let me see."},
    CALL,
    RESULT,
    {"type": "message", "id": "msg_mine", "role": "user", "content": [{"type": "input_text", "text": "and?"}]},
]


def _items(given: Any, response_id: str = "resp_7") -> list[Any]:
    body = json.dumps({"model": "m", "input": given}).encode()
    return [json.loads(bytes(item)) for item in input_items(body, response_id)]


def test_every_item_gets_an_id_that_follows_from_the_response_s() -> None:
    items = _items(GIVEN)
    assert [item["id"] for item in items] == ["msg_7_in0", "msg_7_in1", "fc_7_in2", "fco_7_in3", "msg_mine"]
    assert items == _items(GIVEN)
    assert items[0]["content"] == [{"type": "input_text", "text": "Oslo?"}]
    assert items[1]["content"] == [{"type": "output_text", "text": "Let me see.", "annotations": []}]


def test_a_text_is_a_message() -> None:
    [item] = _items("hi")
    assert (item["id"], item["role"], item["content"][0]["text"]) == ("msg_7_in0", "user", "hi")
    assert _items(None) == []


def test_a_turn_is_what_was_given_and_what_was_answered() -> None:
    given = msgspec.json.encode(input_items(cassettes.request_of("chat"), "resp_1"))
    items = turn_items(given, cassettes.response_of("chat"))
    assert [json.loads(bytes(item))["role"] for item in items] == ["user", "assistant"]


def test_the_next_turn_goes_on_from_the_items() -> None:
    history = [msgspec.Raw(json.dumps(item).encode()) for item in _items(GIVEN)]
    body = b'{"model":"m","previous_response_id":"resp_7","input":"go on","odd":1.0}'
    longer = with_history(body, history)
    assert b'"odd":1.0' in longer
    fields = json.loads(longer)
    assert "previous_response_id" not in fields
    assert fields["input"][-1]["content"][0]["text"] == "go on"
    roles = [message.role for message in decode_request(longer).messages]
    assert roles == ["user", "assistant", "tool", "user", "user"]
    assert len(json.loads(with_history(b'{"model":"m","previous_response_id":"r"}', history))["input"]) == 5


def test_pages() -> None:
    items = [msgspec.Raw(json.dumps(item).encode()) for item in _items(GIVEN)]
    first = json.loads(list_items(items, limit=2))
    assert ResponseItemList.model_validate(first, strict=True).has_more
    assert [item["id"] for item in first["data"]] == ["msg_mine", "fco_7_in3"]
    assert (first["first_id"], first["last_id"]) == ("msg_mine", "fco_7_in3")
    rest = json.loads(list_items(items, after=first["last_id"]))
    assert ([item["id"] for item in rest["data"]], rest["has_more"]) == (["fc_7_in2", "msg_7_in1", "msg_7_in0"], False)
    oldest = json.loads(list_items(items, order="asc", limit=1))
    assert oldest["first_id"] == "msg_7_in0"
    assert json.loads(list_items([]))["data"] == []


@pytest.mark.parametrize(
    ("fields", "param"), [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"after": "x"}, "after")]
)
def test_pages_that_are_none(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        list_items([], **fields)
    assert caught.value.param == param


def test_a_deletion() -> None:
    assert json.loads(deleted("resp_1")) == {"id": "resp_1", "object": "response", "deleted": True}


def test_only_what_runs_in_the_background_can_be_cancelled() -> None:
    running = b'{"id":"r","status":"in_progress","background":true,"odd":1.0}'
    assert cancelled(running) == b'{"id":"r","status":"cancelled","background":true,"odd":1.0}'
    ended = running.replace(b"in_progress", b"completed")
    assert cancelled(ended) == ended
    with pytest.raises(InvalidRequest):
        cancelled(b'{"id":"r","status":"completed","background":false}')


def test_what_a_request_says_of_turns() -> None:
    usual = read_wish(b'{"model":"m"}')
    assert (usual.previous_response_id, usual.is_kept) == (None, True)
    other = read_wish(b'{"previous_response_id":"r","store":false}')
    assert (other.previous_response_id, other.is_kept) == ("r", False)
    for body in (b"", b"[]", b'{"store":"no"}', b'{"previous_response_id":1}'):
        with pytest.raises(InvalidRequest):
            read_wish(body)


@pytest.mark.parametrize("given", [7, {"a": 1}, True])
def test_an_input_that_is_none_is_named(given: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        with_history(json.dumps({"model": "m", "input": given}).encode(), [])
    assert refused.value.param == "input"


def test_made_ids_are_for_the_lists_only() -> None:
    kept = msgspec.json.encode(input_items(json.dumps({"input": GIVEN}).encode(), "resp_7"))
    went = [json.loads(bytes(item)) for item in turn_items(kept, b'{"output":[]}')]
    assert [item.get("id") for item in went] == [None, None, None, None, "msg_mine"]
    assert went[2] == CALL | {"status": "completed"}


def test_what_its_provider_did_not_store_goes_on_without_its_memory() -> None:
    sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
    output = [{"type": "reasoning", "id": "rs_0", "summary": []}, sealed, CALL | {"id": "fc_1"}, {"type": 7}]
    for store, ids in [(True, ["rs_0", "rs_1", "fc_1", None]), (False, ["rs_1", None, None])]:
        answer = json.dumps({"output": output, "store": store}).encode()
        assert [json.loads(bytes(item)).get("id") for item in turn_items(b"[]", answer)] == ids


def test_an_odd_item_is_kept_as_it_is() -> None:
    odd: Any = {"type": 7, "role": "user"}
    assert _items([odd]) == [odd]
    page = json.loads(list_items(read_items(json.dumps([odd]).encode())))
    assert (page["data"], page["first_id"]) == ([odd], "")


def test_the_end_of_a_stream_has_the_response() -> None:
    def event(kind: str, **fields: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n".encode()

    said = event("response.output_text.delta", delta="response.completed")
    assert ended_response(said) is None
    assert ended_response(event("response.failed", response={"id": "r", "x": "response.completed"})) is None
    assert ended_response(b"data: response.completed\n\ndata: [DONE]\n\n") is None
    for kind in ("response.completed", "response.incomplete"):
        assert id_of(ended_response(said + event(kind, response={"id": "r"})) or b"") == "r"


def test_a_response_says_what_the_gateway_did() -> None:
    same = b'{"id":"r", "store":true,"previous_response_id":null}'
    assert told(same, previous_id="", store=True) is same
    other = json.loads(told(same, previous_id="p", store=False))
    assert other == {"id": "r", "store": False, "previous_response_id": "p"}
