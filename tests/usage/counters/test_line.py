"""The way to Redis: deadlines, and nodes of a cluster that answer where the keys are."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import redis

from tests.services.availability import NotAvailable, skip_or_fail
from tests.services.waiting import eventually
from tests.usage.counters.conftest import Change, Workers, correct
from tests.usage.counters.servers import PrivateRedis, free_port
from usage.counters.base import Check
from usage.counters.line import FAILURES, BlockingLine, Line
from usage.counters.scripts import BEAT, READ
from usage.windows import LIFETIME

MONEY = [Check("money", LIFETIME, 10, 100, strict=True)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[PrivateRedis]]:
    """Two nodes with half of the slots each."""
    nodes: list[PrivateRedis] = []
    buses = [free_port(), free_port()]  # the usual place, ten thousand above the other, may be beyond the last port
    try:
        for bus in buses:
            (tmp_path / str(bus)).mkdir()
            nodes.append(PrivateRedis(tmp_path / str(bus), "--cluster-enabled", "yes", "--cluster-port", str(bus)))
    except NotAvailable as error:
        skip_or_fail(error)
    first, second = (node.client for node in nodes)
    first.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
    second.execute_command("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
    first.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[1].port, buses[1])
    for client in (first, second):
        eventually(lambda client=client: b"cluster_state:ok" in _raw(client, "CLUSTER", "INFO"))  # type: ignore[misc]
    yield nodes
    for node in nodes:
        node.kill()


def _raw(client: "redis.Redis", *command: str) -> bytes:
    connection = client.connection_pool.get_connection()
    connection.send_command(*command)
    answer = connection.read_response(disable_decoding=True)
    client.connection_pool.release(connection)
    return bytes(answer)


@pytest.fixture
async def line(own_server: PrivateRedis) -> AsyncIterator[Line]:
    opened = Line(own_server.url, deadline_s=0.2)
    await opened.open()
    yield opened
    await opened.close()


async def test_nobody_waits_longer_than_the_deadline(line: Line, own_server: PrivateRedis) -> None:
    own_server.pause()
    with pytest.raises(FAILURES):
        await line.call(BEAT, ("w1",))
    await line.close()
    await line.open()  # the kernel takes the connection, and Redis says nothing on it
    with pytest.raises(FAILURES):
        await line.call(BEAT, ("w1",))
    own_server.resume()


async def test_a_broken_connection_is_not_mended_in_silence(line: Line, own_server: PrivateRedis) -> None:
    assert await line.call(BEAT, ("w1",))
    own_server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    for _ in range(2):
        with pytest.raises(FAILURES):
            await line.call(BEAT, ("w1",))
    await line.open()
    assert await line.call(BEAT, ("w1",))


async def test_where_nobody_listens_opening_fails(own_server: PrivateRedis) -> None:
    own_server.kill()
    with pytest.raises(FAILURES):
        await Line(own_server.url).open()


def test_synchronous_code_gets_a_new_connection(own_server: PrivateRedis) -> None:
    line = BlockingLine(own_server.url)
    assert line.call(READ, ([],)) is None
    own_server.kill()
    with pytest.raises(FAILURES):
        line.call(READ, ([],))
    own_server.start()
    assert line.call(READ, ([],)) is None
    line.close()


@pytest.mark.parametrize("entrance", [0, 1])
async def test_any_node_of_a_cluster_leads_to_the_counters(cluster: list[PrivateRedis], entrance: int) -> None:
    async with AsyncExitStack() as stack:
        workers = Workers(cluster[entrance].url, "{llmgw}:", stack)
        counters = await workers.add("w1", away="closed")
        held = await counters.reserve(MONEY)
        correct(counters, [Change("money", LIFETIME, held.slices[0], -3)])
        assert (await counters.peek(MONEY)).used == (17,)
        assert await asyncio.to_thread(workers.upkeep.read, [("money", LIFETIME)]) == [7]
        await counters.aclose()
        await asyncio.to_thread(workers.upkeep.finish, "w1", [])
        assert await asyncio.to_thread(workers.upkeep.read, [("money", LIFETIME)]) == [0]
