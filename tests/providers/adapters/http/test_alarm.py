import asyncio
import math

from providers.adapters.http.alarm import Alarm


async def test_rings_once_at_the_earliest_time_asked_for() -> None:
    loop = asyncio.get_running_loop()
    rung = loop.create_future()
    alarm = Alarm(loop, lambda: rung.set_result(loop.time()))
    now = loop.time()
    alarm.ring_by(now + 60)
    alarm.ring_by(now + 0.05)
    alarm.ring_by(now + 30)
    assert alarm.at == now + 0.05
    async with asyncio.timeout(5):
        await rung
    assert alarm.at == math.inf


async def test_can_be_set_again_from_its_ringing() -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    count = 0

    def ring() -> None:
        nonlocal count
        count += 1
        if count == 3:
            done.set()
        else:
            alarm.ring_by(loop.time() + 0.01)

    alarm = Alarm(loop, ring)
    alarm.ring_by(loop.time())
    async with asyncio.timeout(5):
        await done.wait()
    assert count == 3


async def test_a_stopped_alarm_is_silent() -> None:
    loop = asyncio.get_running_loop()
    rung: list[bool] = []
    alarm = Alarm(loop, lambda: rung.append(True))
    alarm.ring_by(loop.time() + 0.01)
    alarm.stop()
    await asyncio.sleep(0.05)
    assert rung == []
    assert alarm.at == math.inf


async def test_a_later_wish_moves_nothing() -> None:
    loop = asyncio.get_running_loop()
    alarm = Alarm(loop, lambda: None)
    alarm.ring_by(math.inf)
    assert alarm.at == math.inf
    alarm.ring_by(5e9)
    assert alarm.at == 5e9
    alarm.stop()
