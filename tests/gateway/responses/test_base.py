"""A turn's items are what was given and what was answered; a refusal names the field that the client sent."""

import json

from gateway.responses.base import Bounds, items_of, not_found, too_long
from tests.gateway.responses.turns import turn


def test_items_keep_the_order_of_their_turns() -> None:
    items = items_of([turn("a"), turn("b", "a")])
    assert [json.loads(bytes(item))["id"] for item in items] == ["msg_a", "msg_a_0", "msg_b", "msg_b_0"]


def test_the_size_of_a_turn() -> None:
    kept = turn("a", text="\u00e9")
    assert kept.size_bytes == len(kept.input) + len(kept.response)


def test_refusals_name_the_field() -> None:
    for error in (not_found("resp_1"), too_long(Bounds())):
        assert (error.status, error.param) == (400, "previous_response_id")
