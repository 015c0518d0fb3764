"""One worker, two thousand streams at once: all of them whole, none of them in the way of the others."""

import asyncio
import json
import resource

import pytest

from tests.services.gateway import Gateway

pytestmark = pytest.mark.e2e
STREAMS = 2_000
CONNECTED_AT_ONCE = 200
PIECES = 12
DESCRIPTORS_WANTED = STREAMS + 512


@pytest.fixture
def descriptors() -> None:
    """Allow this process, and what it starts, enough open sockets; skip where that is not for us to allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < DESCRIPTORS_WANTED:
        if hard < DESCRIPTORS_WANTED:
            pytest.skip(f"at most {hard} open files are allowed here, {DESCRIPTORS_WANTED} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS_WANTED, hard))


@pytest.mark.usefixtures("descriptors")
async def test_two_thousand_streams(gateway: Gateway) -> None:
    for pid in gateway.worker_pids():  # it was started before this test could allow anything
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(DESCRIPTORS_WANTED, 4096), max(hard, 4096)))
    host, _, port = gateway.base_url.removeprefix("http://").partition(":")
    text = f"[[mock pace_ms=1000 tokens={PIECES}]]"
    body = json.dumps({"model": "mock-small", "stream": True, "messages": [{"role": "user", "content": text}]})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {gateway.keys['main']}\r\n"
    request = f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
    gate = asyncio.Semaphore(CONNECTED_AT_ONCE)
    open_now, most_open = 0, 0

    async def stream() -> bytes:
        nonlocal open_now, most_open
        async with gate:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(request)
            said = await reader.readuntil(b"\r\n\r\n")
        open_now += 1
        most_open = max(most_open, open_now)
        said += await reader.read()
        open_now -= 1
        writer.close()
        await writer.wait_closed()
        return said

    async with asyncio.timeout(60):
        answers = await asyncio.gather(*(stream() for _ in range(STREAMS)))
    assert most_open == STREAMS
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert all(b"data: [DONE]" in answer and answer.count(b'"content":') == PIECES + 1 for answer in answers)
