"""Which half of the gateway answers a request, and when the data plane starts and stops."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_project.application import build_application
from tests.databases import sqlite_file


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[None]:
    with sqlite_file(tmp_path_factory.mktemp("database") / "test.sqlite3", django_db_blocker):
        yield


@pytest.fixture
def database(migrated: None, tmp_path: Path, settings: Any) -> None:
    settings.GATEWAY_JOURNAL_DIR = tmp_path / "journal"
    settings.GATEWAY_INLINE_HOUSEKEEPER = False


class Server:
    """Drives the application as a server does, and notes which paths reached the control plane."""

    def __init__(self) -> None:
        self.controlled: list[str] = []
        self.application = build_application(self._control)

    async def _control(self, scope: Any, receive: Any, send: Any) -> None:
        self.controlled.append(scope["path"])

    async def run(self, scope: dict[str, Any], *messages: dict[str, Any]) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        left = list(messages)

        async def receive() -> dict[str, Any]:
            return left.pop(0) if left else {"type": f"{scope['type']}.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        return sent

    async def get(self, path: str) -> int:
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        sent = await self.run(scope, {"type": "http.request", "body": b""}, {"type": "http.request", "body": b""})
        return int(sent[0]["status"]) if sent else 0

    async def stop(self) -> list[str]:
        sent = await self.run({"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
        return [message["type"] for message in sent]


@pytest.mark.usefixtures("database")
async def test_each_path_goes_to_its_half() -> None:
    server = Server()
    paths = {"/health": 200, "/ready": 200, "/v1/models": 401, "/v1/nope": 404, "/v1": 404}
    assert {path: await server.get(path) for path in paths} == paths
    assert server.controlled == []
    for path in ("/", "/admin/", "/v0/management/config", "/metrics"):
        assert await server.get(path) == 0
    assert server.controlled == ["/", "/admin/", "/v0/management/config", "/metrics"]
    await server.stop()


@pytest.mark.usefixtures("database")
async def test_the_server_starts_and_stops_the_data_plane() -> None:
    server = Server()
    assert await server.stop() == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.usefixtures("database")
async def test_an_unknown_socket_is_refused() -> None:
    server = Server()
    scope = {"type": "websocket", "path": "/v1/elsewhere", "headers": [], "query_string": b"", "subprotocols": []}
    assert await server.run(scope, {"type": "websocket.connect"}) == [{"type": "websocket.close"}]
    await server.stop()
