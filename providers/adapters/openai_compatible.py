"""Any server that speaks OpenAI's dialect: a path, a bearer token, and what its error statuses mean."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite
from types import MappingProxyType

from kernel import clock
from kernel.errors import UpstreamRefused
from providers.adapters.base import Exchange, UpstreamAnswer
from providers.adapters.connection import Connection, Headers
from providers.adapters.http import HttpClient, UpstreamRequest
from providers.dialects.canonical import Operation
from providers.dialects.openai_chat import errors

PATHS: Mapping[Operation, bytes] = MappingProxyType(
    {
        Operation.CHAT: b"/chat/completions",
        Operation.COMPLETION: b"/completions",
        Operation.EMBEDDING: b"/embeddings",
    }
)
RETRYABLE_STATUSES = frozenset({408, 425, 429})
_HEADERS_BY_CONNECTION_MAX = 1024


class OpenAICompatibleAdapter:
    """Sends bodies as they are to `base_url` plus the operation's path."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._headers: dict[int, tuple[Connection, Headers]] = {}

    async def send(self, exchange: Exchange) -> UpstreamAnswer:
        """Send a request and return once the answer's head is in. Raises UpstreamIOError."""
        connection = exchange.connection
        accept = (b"accept", b"text/event-stream" if exchange.stream else b"application/json")
        names = (
            (b"x-request-id", exchange.request_id.encode()),
            (b"x-client-request-id", exchange.attempt_id.encode()),  # so that a bill can be matched, attempt by attempt
        )
        request = UpstreamRequest(
            method="POST",
            origin=connection.origin,
            target=connection.path_prefix + PATHS[exchange.operation],
            headers=(*self._headers_of(connection), accept, *names),
            body=exchange.body,
            timeouts=exchange.timeouts,
        )
        return await self._client.send(request)

    def explain(self, answer: UpstreamAnswer, body: bytes) -> UpstreamRefused:
        """Return what an error status means: whose fault it is, and whether another try may help."""
        status = answer.status
        message, code = errors.read_error(body) or (f"the provider answered with status {status}", "")
        if status in (401, 403):
            # The operator's credential, not the caller's key: it must not read as if the caller's were wrong.
            return UpstreamRefused(
                "the provider refused the gateway's credential",
                status=502,
                code="upstream_authentication_failed",
                retryable=True,
            )
        retryable = status in RETRYABLE_STATUSES or status >= 500
        return UpstreamRefused(
            message,
            status=status if status >= 400 else 502,
            code=code or ("upstream_overloaded" if retryable else "upstream_refused"),
            retryable=retryable,
            body=body if errors.is_envelope(body) else None,
            retry_after_s=read_retry_after(answer),
        )

    def _headers_of(self, connection: Connection) -> Headers:
        known = self._headers.get(id(connection))
        if known is not None and known[0] is connection:
            return known[1]
        if len(self._headers) >= _HEADERS_BY_CONNECTION_MAX:
            self._headers.clear()
        headers: Headers = ((b"content-type", b"application/json"), (b"user-agent", b"llmgateway"))
        if connection.credential:
            headers += ((b"authorization", b"Bearer " + connection.credential.encode()),)
        headers += connection.extra_headers
        self._headers[id(connection)] = (connection, headers)
        return headers


def read_retry_after(answer: UpstreamAnswer) -> float | None:
    """Return the seconds a provider asks to wait (`retry-after-ms`, or `retry-after` in seconds or as a date)."""
    milliseconds = _read_number(answer.header(b"retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    seconds = _read_number(answer.header(b"retry-after"))
    if seconds is not None:
        return seconds
    value = (answer.header(b"retry-after") or b"").decode("latin-1").strip()
    try:
        return max(0.0, (parsedate_to_datetime(value) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _read_number(value: bytes | None) -> float | None:
    try:
        number = float(value or b"")
    except ValueError:
        return None
    return max(0.0, number) if isfinite(number) else None
