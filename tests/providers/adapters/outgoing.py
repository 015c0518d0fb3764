"""What an adapter would send, without a network."""

from typing import Any

from providers.adapters.base import Exchange
from providers.adapters.connection import Connection
from providers.adapters.http import HttpClient, Origin, UpstreamRequest
from providers.dialects.canonical import Dialect, Operation
from providers.presets import PRESETS
from tests.builders import connection
from tests.scripted import Answer


class Outgoing(HttpClient):
    """A client that only keeps what it is asked to send."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[UpstreamRequest] = []

    async def send(self, request: UpstreamRequest) -> Any:
        self.requests.append(request)
        return Answer([b"{}"])

    @property
    def urls(self) -> list[str]:
        """Where everything would go."""
        return [f"{request.origin}{request.target.decode()}" for request in self.requests]

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The headers of the only request."""
        [request] = self.requests
        assert len(dict(request.headers)) == len(request.headers)
        return dict(request.headers)


def to(kind: str, base_url: str = "", **fields: Any) -> Connection:
    """Return a connection of a kind, as a snapshot has it."""
    address = base_url or PRESETS[kind].base_url
    origin, prefix = Origin.parse(address or "http://127.0.0.1")
    usual = {"origin": origin, "path_prefix": prefix, "has_address": bool(address), "credential": "secret"}
    return connection(kind, kind, **(usual | fields))


def asking(there: Connection, model: str, dialect: Dialect, **fields: Any) -> Exchange:
    """Return an exchange with that connection; its options are the connection's unless the fields say others."""
    usual: dict[str, Any] = {
        "operation": Operation.CHAT,
        "body": b"{}",
        "stream": False,
        "request_id": "req_1",
        "attempt_id": "att_1",
        "timeouts": there.timeouts,
        "options": there.options,
    }
    return Exchange(connection=there, model=model, dialect=dialect, **(usual | fields))
