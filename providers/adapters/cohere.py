"""Cohere: OpenAI's dialect at its compatibility address, and ranking at its own."""

from providers.adapters.base import Exchange
from providers.adapters.http import Origin
from providers.adapters.http_adapter import HttpAdapter
from providers.adapters.openai_compatible import path_of
from providers.dialects.canonical import Dialect

_COMPATIBILITY = b"/compatibility/v1"


class CohereAdapter(HttpAdapter):
    """Sends bodies to `/compatibility/v1`, and to `/v2/rerank` (docs.cohere.com, API reference, November 2026)."""

    def place(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where a request goes."""
        connection = exchange.connection
        if exchange.dialect is not Dialect.COHERE:
            return connection.origin, connection.path_prefix + path_of(exchange)
        origin, root = self.root(exchange)
        return origin, root + b"/v2/rerank"

    def root(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where all of its API is: its own, and under `/compatibility` OpenAI's."""
        connection = exchange.connection
        return connection.origin, connection.path_prefix.removesuffix(_COMPATIBILITY).removesuffix(b"/v2")
