"""Rows of responses: bounds of a conversation, and what housekeeping takes away."""

from datetime import timedelta

import pytest

from gateway.models import StoredResponse
from gateway.responses.base import KEPT_FOR, Bounds
from gateway.responses.rows import delete_turn, expire_responses, find_chain, find_turn, insert_turns
from kernel.errors import InvalidRequest
from tests.gateway.responses.turns import BEGINNING, turn

pytestmark = pytest.mark.usefixtures("table")


def _insert_chain(length: int) -> str:
    turns = [turn(f"r{number}", f"r{number - 1}" if number else "") for number in range(length)]
    insert_turns(turns)
    return turns[-1].id


def test_the_longest_conversation_is_read_whole() -> None:
    last = _insert_chain(1_000)
    turns = find_chain(1, last, Bounds(), BEGINNING)
    assert [turn.id for turn in turns] == [f"r{number}" for number in range(1_000)]


def test_a_longer_one_is_refused() -> None:
    last = _insert_chain(11)
    with pytest.raises(InvalidRequest) as caught:
        find_chain(1, last, Bounds(turns_max=10), BEGINNING)
    assert caught.value.code == "conversation_too_long"


def test_a_larger_one_is_refused() -> None:
    last = _insert_chain(10)
    size = sum(turn.size_bytes for turn in find_chain(1, last, Bounds(), BEGINNING))
    assert len(find_chain(1, last, Bounds(bytes_max=size), BEGINNING)) == 10
    with pytest.raises(InvalidRequest) as caught:
        find_chain(1, last, Bounds(bytes_max=size - 1), BEGINNING)
    assert caught.value.code == "conversation_too_long"


def test_bytes_that_are_no_text_are_still_kept() -> None:
    insert_turns([turn("a", input=b'[{"text":"\xff"}]')])
    found = find_turn(1, "a", BEGINNING)
    assert found is not None
    assert found.input.decode() == '[{"text":"\ufffd"}]'


def test_housekeeping_takes_what_is_over() -> None:
    insert_turns([turn("old"), turn("new", expires_at=BEGINNING + KEPT_FOR + timedelta(seconds=1))])
    assert expire_responses(BEGINNING) == 0
    assert expire_responses(BEGINNING + KEPT_FOR) == 1
    assert [str(row) for row in StoredResponse.objects.all()] == ["new"]
    assert not delete_turn(1, "old", BEGINNING)
