"""What every adapter that speaks OpenAI's dialect does: a suite to inherit, with a fixture that says where to.

The upstream behind it is the mock, in the process or behind a socket, which misbehaves as it is told to.
"""

import asyncio
from typing import Any

import msgspec
import pytest

from kernel.errors import UpstreamRefused
from providers.adapters.base import Adapter, Exchange, translate
from providers.adapters.connection import Connection
from providers.adapters.http import (
    BodyTooLarge,
    BrokenResponse,
    ConnectFailed,
    FirstByteTimeout,
    IdleTimeout,
    Timeouts,
    UpstreamIOError,
)
from providers.dialects.canonical import Operation
from providers.dialects.openai_chat.response import decode_answer
from tests.builders import connection

BYTES_MAX = 1_000_000
SHORT = Timeouts(first_byte_s=0.05, idle_s=0.05)


def asking(
    to: Connection | None = None,
    *,
    directions: str = "",
    stream: bool = False,
    operation: Operation = Operation.CHAT,
    request_id: str = "req_contract",
    timeouts: Timeouts | None = None,
) -> Exchange:
    """Return an exchange that tells the mock how to behave."""
    text = f"hello [[mock {directions}]]" if directions else "hello"
    body: dict[str, Any] = {
        Operation.CHAT: {"messages": [{"role": "user", "content": text}]},
        Operation.COMPLETION: {"prompt": text},
        Operation.EMBEDDING: {"input": text},
    }[operation]
    body |= {"model": "mock-small", "stream": stream, "stream_options": {"include_usage": True}}
    there = to or connection()
    return Exchange(
        there, operation, msgspec.json.encode(body), stream, request_id, "att_test", timeouts or there.timeouts
    )


class AdapterContract:
    """Inherit it, and give the fixtures `adapter` and `there`."""

    @pytest.mark.parametrize("operation", [Operation.CHAT, Operation.COMPLETION, Operation.EMBEDDING])
    async def test_a_whole_answer(self, adapter: Adapter, there: Connection, operation: Operation) -> None:
        answer = await adapter.send(asking(there, operation=operation))
        assert answer.status == 200
        assert answer.header(b"content-type") == b"application/json"
        assert (b"content-type", b"application/json") in answer.headers
        assert answer.header(b"x-nobody-sends") is None
        facts = decode_answer(await answer.read(BYTES_MAX))
        assert facts.usage is not None
        assert facts.usage.input_tokens > 0
        answer.close()

    async def test_a_stream(self, adapter: Adapter, there: Connection) -> None:
        answer = await adapter.send(asking(there, stream=True))
        assert (answer.status, answer.header(b"content-type")) == (200, b"text/event-stream")
        data = b""
        while (chunk := await answer.next_chunk()) is not None:
            assert chunk
            data += chunk
        assert data.endswith(b"data: [DONE]\n\n")
        assert b'"prompt_tokens"' in data
        assert await answer.next_chunk() is None
        answer.close()

    @pytest.mark.parametrize("fault", ["connect", "reset"])
    async def test_no_answer_at_all(self, adapter: Adapter, there: Connection, fault: str) -> None:
        with pytest.raises((ConnectFailed, BrokenResponse)):
            await adapter.send(asking(there, directions=f"fault={fault}"))

    @pytest.mark.parametrize("stream", [False, True])
    async def test_a_cut(self, adapter: Adapter, there: Connection, stream: bool) -> None:
        answer = await adapter.send(asking(there, directions="fault=cut", stream=stream))
        with pytest.raises(BrokenResponse):
            await answer.read(BYTES_MAX)
        answer.close()

    @pytest.mark.parametrize("stream", [False, True])
    async def test_silence_in_the_middle(self, adapter: Adapter, there: Connection, stream: bool) -> None:
        answer = await adapter.send(asking(there, directions="fault=stall", stream=stream, timeouts=SHORT))
        with pytest.raises(IdleTimeout):
            await answer.read(BYTES_MAX)
        answer.close()

    async def test_silence_at_the_start(self, adapter: Adapter, there: Connection) -> None:
        with pytest.raises(FirstByteTimeout) as caught:
            await adapter.send(asking(there, directions="delay_ms=60000", timeouts=SHORT))
        assert caught.value.sent

    async def test_headers_beyond_measure(self, adapter: Adapter, there: Connection) -> None:
        with pytest.raises(BrokenResponse):
            await adapter.send(asking(there, directions="fault=huge_headers"))

    async def test_a_body_beyond_measure(self, adapter: Adapter, there: Connection) -> None:
        answer = await adapter.send(asking(there, directions="tokens=1000"))
        with pytest.raises(BodyTooLarge):
            await answer.read(100)
        answer.close()

    @pytest.mark.parametrize(
        ("fault", "content_type"), [("html", b"text/html"), ("wrong_type", b"text/plain"), ("not_json", None)]
    )
    async def test_nonsense_comes_through_as_it_is(
        self, adapter: Adapter, there: Connection, fault: str, content_type: bytes | None
    ) -> None:
        answer = await adapter.send(asking(there, directions=f"fault={fault}"))
        assert answer.status == 200
        if content_type is not None:
            assert answer.header(b"content-type") == content_type
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(await answer.read(BYTES_MAX))
        answer.close()

    async def test_no_content(self, adapter: Adapter, there: Connection) -> None:
        answer = await adapter.send(asking(there, directions="fault=no_content"))
        assert (answer.status, await answer.read(BYTES_MAX)) == (204, b"")
        answer.close()

    async def test_it_may_be_closed_early_and_twice(self, adapter: Adapter, there: Connection) -> None:
        answer = await adapter.send(asking(there, directions="tokens=50 pace_ms=10", stream=True))
        assert await answer.next_chunk()
        answer.close()
        answer.close()

    async def test_a_caller_that_gives_up_while_waiting_for_the_head(self, adapter: Adapter, there: Connection) -> None:
        sending = asyncio.ensure_future(adapter.send(asking(there, directions="delay_ms=60000")))
        for _ in range(5):
            await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    async def test_a_caller_that_gives_up_in_the_middle(self, adapter: Adapter, there: Connection) -> None:
        answer = await adapter.send(asking(there, directions="fault=stall cut_after=1", stream=True))
        assert await answer.next_chunk()
        reading = asyncio.ensure_future(answer.next_chunk())
        for _ in range(5):
            await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        answer.close()

    @pytest.mark.parametrize(
        ("told", "status", "retryable", "code"),
        [
            (400, 400, False, "mock_error"),
            (401, 502, True, "upstream_authentication_failed"),
            (403, 502, True, "upstream_authentication_failed"),
            (404, 404, False, "mock_error"),
            (408, 408, True, "mock_error"),
            (422, 422, False, "mock_error"),
            (429, 429, True, "rate_limit_exceeded"),
            (500, 500, True, "mock_error"),
            (503, 503, True, "upstream_overloaded"),
            (529, 529, True, "upstream_overloaded"),
        ],
    )
    async def test_what_an_error_status_means(  # noqa: PLR0917 - one a parameter
        self, adapter: Adapter, there: Connection, told: int, status: int, retryable: bool, code: str
    ) -> None:
        refused = await self._refused(adapter, there, f"status={told}")
        assert (refused.status, refused.retryable, refused.code) == (status, retryable, code)
        assert (refused.body is None) is (told in (401, 403))

    async def test_how_long_it_asks_to_wait(self, adapter: Adapter, there: Connection) -> None:
        assert (await self._refused(adapter, there, "status=429 retry_after=7")).retry_after_s == 7
        assert (await self._refused(adapter, there, "status=503")).retry_after_s is None

    async def test_another_try_is_another_request(self, adapter: Adapter, there: Connection) -> None:
        exchange = asking(there, directions="status=500 fails=2", request_id="req_again")
        statuses = []
        for _ in range(3):
            answer = await adapter.send(exchange)
            statuses.append(answer.status)
            await answer.read(BYTES_MAX)
            answer.close()
        assert statuses == [500, 500, 200]

    async def test_many_at_once(self, adapter: Adapter, there: Connection) -> None:
        async def one(number: int) -> bytes:
            answer = await adapter.send(asking(there, directions=f"tokens={number + 1}"))
            try:
                return await answer.read(BYTES_MAX)
            finally:
                answer.close()

        bodies = await asyncio.gather(*(one(number) for number in range(20)))
        usages = [decode_answer(body).usage for body in bodies]
        assert [usage.output_tokens if usage else None for usage in usages] == list(range(1, 21))

    async def test_every_failure_has_a_meaning(self, adapter: Adapter, there: Connection) -> None:
        for fault in ("connect", "reset", "huge_headers"):
            with pytest.raises(UpstreamIOError) as caught:
                await adapter.send(asking(there, directions=f"fault={fault}"))
            assert translate(caught.value, provider="p").retryable

    async def _refused(self, adapter: Adapter, there: Connection, directions: str) -> UpstreamRefused:
        exchange = asking(there, directions=directions)
        answer = await adapter.send(exchange)
        body = await answer.read(BYTES_MAX)
        answer.close()
        return adapter.explain(exchange, answer, body)
