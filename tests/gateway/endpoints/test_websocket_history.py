import pytest

from gateway.endpoints.websocket_history import History
from kernel.errors import InvalidRequest


def make(bytes_max: int = 100, messages_max: int = 9) -> History:
    return History(bytes_max=bytes_max, messages_max=messages_max)


def test_whole_turns_are_kept_in_order() -> None:
    history = make()
    history.keep([b"q1", b"q2"], b"a")
    assert history.with_question([b"q3"]) == [b"q1", b"q2", b"a", b"q3"]
    assert history.messages == [b"q1", b"q2", b"a"]
    assert history.size_bytes == 5


def test_room_is_left_for_the_answer() -> None:
    history = make(messages_max=2)
    assert history.with_question([b"q"]) == [b"q"]
    with pytest.raises(InvalidRequest, match="longer than 2 messages"):
        history.with_question([b"q", b"q"])


def test_bytes_are_bounded() -> None:
    history = make(bytes_max=5)
    history.keep([b"q"], b"aa")
    assert history.with_question([b"qq"])
    with pytest.raises(InvalidRequest, match="longer than 5 bytes"):
        history.with_question([b"qqq"])


def test_costs_add_up_until_one_is_unknown() -> None:
    history = make()
    history.add_cost(3)
    history.add_cost(4)
    assert history.cost_nanos == 7
    history.add_cost(None)
    history.add_cost(4)
    assert history.cost_nanos is None
