"""Turns: what they go on from, and what is kept of them."""

import json
from typing import Any

import pytest

from gateway.responses.base import KEPT_FOR
from gateway.responses.turn import Turn, finish, read_turn, resume
from gateway.responses.volatile import VolatileResponses
from kernel.errors import InvalidRequest
from tests.builders import caller, incoming
from tests.gateway.responses.turns import BEGINNING, Clock, turn

ANSWER = b'{"id":"resp_1","output":[],"previous_response_id":null,"store":true}'


def asked(**fields: Any) -> Turn:
    return read_turn(caller(), incoming({"model": "m", "input": "x", **fields}))


@pytest.mark.parametrize(("store", "is_kept"), [(None, True), (True, True), (False, False)])
def test_answers_are_usually_kept(store: bool | None, is_kept: bool) -> None:
    assert asked(store=store).is_kept is is_kept
    assert asked().is_kept


def test_wrong_types_are_named() -> None:
    with pytest.raises(InvalidRequest) as refused:
        asked(previous_response_id=[])
    assert refused.value.param == "previous_response_id"


async def test_a_turn_that_begins_a_conversation_stays_as_it_is() -> None:
    request = incoming({"model": "m", "input": "x"})
    assert await resume(VolatileResponses(), asked(), request) is request


async def test_earlier_turns_come_first_and_the_clients_own_body_stays() -> None:
    store = VolatileResponses(now=Clock())
    await store.save(turn("a"))
    request = incoming({"model": "m", "input": "x", "previous_response_id": "a"})
    resumed = await resume(store, read_turn(caller(), request), request)
    body = json.loads(resumed.body)
    assert [item.get("id") for item in body["input"]] == ["msg_a", "msg_a_0", None]
    assert "previous_response_id" not in body
    assert resumed.own_body == request.body


def test_a_turn_is_kept_with_what_was_given_and_answered() -> None:
    stored = finish(asked(previous_response_id="resp_0"), ANSWER, BEGINNING)
    assert stored is not None
    assert (stored.id, stored.previous_id, stored.tenant_id, stored.key_id) == ("resp_1", "resp_0", 1, 1)
    assert stored.expires_at == BEGINNING + KEPT_FOR
    [item] = json.loads(stored.input)
    assert (item["id"], item["content"][0]["text"]) == ("msg_1_in0", "x")
    assert json.loads(stored.response)["previous_response_id"] == "resp_0"


@pytest.mark.parametrize("answer", [b"{}", b'{"id":null}', b'{"id":""}', b"[]", b"no"])
def test_what_has_no_id_can_not_be_kept(answer: bytes) -> None:
    assert finish(asked(), answer, BEGINNING) is None
