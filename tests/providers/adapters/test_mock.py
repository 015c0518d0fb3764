"""The mock inside the process counts tries by request and connection, and forgets the oldest."""

import pytest

from providers.adapters import mock
from providers.adapters.http import HttpClient
from providers.adapters.mock import MockAdapter, MockAnswer
from tests.builders import connection
from tests.contracts.adapters import asking


async def status(adapter: MockAdapter, request_id: str, slug: str = "a") -> int:
    exchange = asking(connection(slug), directions="status=500 fails=1", request_id=request_id)
    return (await adapter.send(exchange)).status


async def test_tries_are_counted_for_each_request_and_connection() -> None:
    adapter = MockAdapter(HttpClient())
    assert [await status(adapter, "r") for _ in range(2)] == [500, 200]
    assert await status(adapter, "other") == 500
    assert await status(adapter, "r", "b") == 500


async def test_the_memory_of_tries_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mock, "_REMEMBERED_TRIES_MAX", 2)
    adapter = MockAdapter(HttpClient())
    for request_id in ("a", "b", "c"):
        await status(adapter, request_id)
    assert len(adapter._tries) == 2
    assert await status(adapter, "a") == 500  # forgotten
    assert await status(adapter, "c") == 200


async def test_closing_is_noted() -> None:
    answer = await MockAdapter(HttpClient()).send(asking())
    assert isinstance(answer, MockAnswer)
    assert not answer.closed
    answer.close()
    assert answer.closed
