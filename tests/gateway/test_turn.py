"""What is left to the end of a turn is done there, records before answers, whatever fails among them."""

import asyncio

import pytest

from gateway.turn import AtOnce, AtTurnsEnd


async def test_what_waits_is_done_before_the_loop_waits_again_records_first() -> None:
    turn, done = AtTurnsEnd(), list[str]()
    turn.answer(lambda: done.append("answer of one"))
    turn.write_down(lambda: done.append("record of one"))
    turn.write_down(lambda: done.append("record of two"))
    turn.answer(lambda: done.append("answer of two"))
    assert done == []
    await asyncio.sleep(0)
    assert done == ["record of one", "record of two", "answer of one", "answer of two"]


async def test_it_can_be_done_at_once_and_is_then_not_done_again() -> None:
    turn, done = AtTurnsEnd(), list[int]()
    turn.write_down(lambda: done.append(1))
    turn.end()
    assert done == [1]
    turn.write_down(lambda: done.append(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert done == [1, 2]


async def test_what_comes_of_it_waits_for_the_next_end() -> None:
    turn, done = AtTurnsEnd(), list[int]()
    turn.write_down(lambda: turn.write_down(lambda: done.append(1)))
    turn.end()
    assert done == []
    await asyncio.sleep(0)
    assert done == [1]


async def test_what_fails_is_logged_and_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    turn, done = AtTurnsEnd(), list[int]()
    turn.write_down(lambda: 1 // 0)
    turn.answer(lambda: done.append(1))
    await asyncio.sleep(0)
    assert done == [1]
    assert "ZeroDivisionError" in caplog.text


async def test_calls_that_meet_go_on_in_a_row_after_the_answers() -> None:
    turn, done = AtTurnsEnd(), list[str]()

    async def call(name: str) -> None:
        done.append(f"{name} comes")
        await turn.meet()
        done.append(f"{name} goes on")

    calls = [asyncio.create_task(call("one")), asyncio.create_task(call("two"))]
    turn.answer(lambda: done.append("answer"))
    await asyncio.gather(*calls)
    assert done == ["one comes", "two comes", "answer", "one goes on", "two goes on"]


async def test_a_caller_who_hangs_up_before_the_others_come_holds_nobody_up() -> None:
    turn = AtTurnsEnd()
    gone, stays = asyncio.ensure_future(turn.meet()), asyncio.ensure_future(turn.meet())
    gone.cancel()
    await asyncio.wait_for(stays, 5)
    assert gone.cancelled()


async def test_without_turns_nobody_is_waited_for() -> None:
    await AtOnce().meet()


def test_without_turns_everything_is_done_when_it_is_told() -> None:
    turn, done = AtOnce(), list[int]()
    turn.write_down(lambda: done.append(1))
    turn.answer(lambda: done.append(2))
    turn.end()
    assert done == [1, 2]
