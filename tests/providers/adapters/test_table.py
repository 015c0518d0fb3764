"""The adapters that speak OpenAI's dialect keep the contract: over a network against the mock, the mock by itself."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from providers.adapters.base import Adapter
from providers.adapters.connection import Connection
from providers.adapters.http import HttpClient, Origin
from providers.adapters.table import ADAPTERS, build_adapters
from providers.mock import server
from providers.presets import PRESETS
from tests.builders import connection
from tests.contracts.adapters import AdapterContract


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient() as made:
        yield made


@pytest.fixture
async def upstream() -> AsyncIterator[Origin]:
    """The mock behind a socket of this very loop."""
    mock = server.MockServer()
    listening = await asyncio.get_running_loop().create_server(
        lambda: server.Connection(mock), "127.0.0.1", 0, family=socket.AF_INET
    )
    yield Origin("http", "127.0.0.1", listening.sockets[0].getsockname()[1])
    listening.close()


@pytest.fixture(params=["openai_compatible", "mock"])
def adapter(request: pytest.FixtureRequest, client: HttpClient) -> Adapter:
    return build_adapters(client)[request.param]


@pytest.fixture
def there(upstream: Origin) -> Connection:
    return replace(connection(), origin=upstream, path_prefix=b"/v1")


class TestEveryAdapter(AdapterContract):
    """The contract, once for each."""


def test_every_preset_has_its_adapter() -> None:
    assert {preset.adapter for preset in PRESETS.values()} == ADAPTERS.keys()


def test_building_makes_them_all(client: HttpClient) -> None:
    built = build_adapters(client)
    assert built.keys() == ADAPTERS.keys()
    assert {name: type(one) for name, one in built.items()} == dict(ADAPTERS)
