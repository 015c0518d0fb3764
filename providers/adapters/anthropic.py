"""Anthropic's own API: paths, and the header that names the version of the bodies."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.adapters.base import Exchange
from providers.adapters.connection import Headers
from providers.adapters.http import Origin
from providers.adapters.http_adapter import HttpAdapter, with_version
from providers.dialects.canonical import Operation

USUAL_VERSION = "2023-06-01"
PATHS: Mapping[Operation, bytes] = MappingProxyType(
    {Operation.CHAT: b"/messages", Operation.TOKEN_COUNT: b"/messages/count_tokens"}
)


class AnthropicAdapter(HttpAdapter):
    """Sends bodies to `/v1/messages` (docs.anthropic.com, "API overview", November 2026)."""

    def place(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where a request goes."""
        connection = exchange.connection
        return connection.origin, with_version(connection.path_prefix, b"/v1") + PATHS[exchange.operation]

    def own_headers(self, exchange: Exchange) -> Headers:
        """Return the version that the body is for."""
        return ((b"anthropic-version", (exchange.options.get("api_version") or USUAL_VERSION).encode()),)
