"""Tasks that are kept alive and whose errors are heard."""

import asyncio
import logging

import pytest

from kernel import tasks


async def test_a_task_runs_and_is_forgotten() -> None:
    task = tasks.spawn(asyncio.sleep(0, "done"), name="t")
    assert task in tasks._running
    assert await task == "done"
    await asyncio.sleep(0)
    assert task not in tasks._running


async def test_an_error_is_logged_with_the_name(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError("boom")

    task = tasks.spawn(fail(), name="doomed")
    with caplog.at_level(logging.ERROR):
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert "doomed" in caplog.text
    assert "boom" in caplog.text


async def test_cancelling_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    task = tasks.spawn(asyncio.sleep(60), name="t")
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert caplog.text == ""
