"""What every adapter over HTTP does: sign in, name the request, send it, and say what an error status means.

An adapter of its own says where a request goes and which headers it has besides.
"""

from abc import ABC, abstractmethod
from urllib.parse import quote

from kernel.errors import UpstreamRefused
from providers.adapters.auth.table import build_authenticators
from providers.adapters.base import Exchange, UpstreamAnswer
from providers.adapters.connection import Headers
from providers.adapters.http import HttpClient, Origin, UpstreamRequest
from providers.adapters.raw import RawRequest, layer_headers
from providers.adapters.refusals import explain_refusal
from providers.dialects.canonical import Operation

_JSON = (b"content-type", b"application/json")
_AGENT = (b"user-agent", b"llmgateway")
# What vendors call a model or deployment that isn't there; 404 also stands for other things that aren't.
_UNKNOWN_MODEL = frozenset(
    ("upstream_refused", "model_not_found", "not_found", "not_found_error", "NOT_FOUND", "404", "DeploymentNotFound")
)
_NOT_ONLY_JSON = frozenset({Operation.SPEECH, Operation.TRANSCRIPTION, Operation.TRANSLATION})


class HttpAdapter(ABC):
    """Sends bodies as they are to where `place` says."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._authenticators = build_authenticators()

    @abstractmethod
    def place(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where a request goes: the server, and the path with its query."""

    def root(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return the server and the path that all of its API stands under, for requests that pass as they are."""
        return exchange.connection.origin, exchange.connection.path_prefix

    def own_headers(self, exchange: Exchange) -> Headers:
        """Return the headers that the vendor wants besides; those of the operator and the request go before them."""
        return ()

    async def send(self, exchange: Exchange) -> UpstreamAnswer:
        """Send a request and return once the answer's head is in. Raises UpstreamIOError, and UpstreamRefused."""
        if exchange.raw is not None:
            return await self._send_raw(exchange, exchange.raw)
        origin, target = self.place(exchange)
        connection = exchange.connection
        signed = await self._authenticators[connection.auth].headers(connection)
        request = UpstreamRequest(
            method="POST",
            origin=origin,
            target=target,
            headers=_join_headers(exchange, (*signed, *self.own_headers(exchange))),
            body=exchange.body,
            timeouts=exchange.timeouts,
        )
        return await self._client.send(request)

    async def _send_raw(self, exchange: Exchange, raw: RawRequest) -> UpstreamAnswer:
        """Send a request as it is; what the operator says in headers goes before what the client says."""
        origin, prefix = self.root(exchange)
        connection = exchange.connection
        signed = await self._authenticators[connection.auth].headers(connection)
        usual = (_AGENT, *_ids_of(exchange), *self.own_headers(exchange))
        request = UpstreamRequest(
            method=raw.method,
            origin=origin,
            target=raw.under(prefix),
            headers=layer_headers(connection.extra_headers, signed, exchange.headers, usual),
            body=exchange.body,
            timeouts=exchange.timeouts,
        )
        return await self._client.send(request)

    def explain(self, exchange: Exchange, answer: UpstreamAnswer, body: bytes) -> UpstreamRefused:
        """Return what an error status means: whose fault it is, and whether another try may help."""
        if answer.status == 401:
            self._authenticators[exchange.connection.auth].forget(exchange.connection)
        refused = explain_refusal(exchange, answer, body)
        unknown = answer.status == 404 and refused.code in _UNKNOWN_MODEL
        return _name_model(refused, exchange.model) if unknown else refused


def quote_model(model: str, *, slashes: bool = False) -> bytes:
    """Return a model's name as a part of a path. Raises UpstreamRefused for one that would lead elsewhere."""
    if any(part in {"", ".", ".."} for part in model.split("/")):
        raise UpstreamRefused(
            f"no model can be called '{model[:200]}'", status=404, code="model_not_found", retryable=False
        )
    return quote(model, safe="@/" if slashes else "@").encode()


def with_version(prefix: bytes, version: bytes) -> bytes:
    """Return a base URL's path with the version at its end, which some people write there and others don't."""
    return prefix if prefix.endswith(version) else prefix + version


def _join_headers(exchange: Exchange, own: Headers) -> Headers:
    usual: Headers = (
        _JSON if isinstance(exchange.body, bytes) else (b"content-type", exchange.body.content_type),
        _AGENT,
        (b"accept", _accepted(exchange)),
        *_ids_of(exchange),
        *own,
    )
    given = exchange.connection.extra_headers + exchange.headers
    if not given:
        return usual
    names = {name for name, _ in given}
    return (*(header for header in usual if header[0] not in names), *given)


def _ids_of(exchange: Exchange) -> Headers:
    """Return the headers by which a bill can be matched, attempt by attempt."""
    return (
        (b"x-request-id", exchange.request_id.encode()),
        (b"x-client-request-id", exchange.attempt_id.encode()),
    )


def _accepted(exchange: Exchange) -> bytes:
    if exchange.operation in _NOT_ONLY_JSON:
        return b"*/*"
    return b"text/event-stream" if exchange.stream else b"application/json"


def _name_model(refused: UpstreamRefused, model: str) -> UpstreamRefused:
    message = f"the provider has no model '{model}': {refused.message}"
    return UpstreamRefused(message, status=404, code="model_not_found", retryable=False, body=refused.body)
