"""Google's Gemini API: the model and what is asked of it stand in the path."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.adapters.base import Exchange
from providers.adapters.http import Origin
from providers.adapters.http_adapter import HttpAdapter, quote_model, with_version
from providers.dialects.canonical import Operation

USUAL_VERSION = "v1beta"
EMBED_ONE = "embedContent"
_METHODS: Mapping[Operation, bytes] = MappingProxyType(
    {
        Operation.CHAT: b":generateContent",
        Operation.EMBEDDING: b":batchEmbedContents",
        Operation.TOKEN_COUNT: b":countTokens",
    }
)
_KINDS = ("models/", "tunedModels/")


class GeminiAdapter(HttpAdapter):
    """Sends bodies to `/v1beta/models/{model}:{method}` (ai.google.dev, "Gemini API reference", November 2026)."""

    def place(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where a request goes."""
        connection = exchange.connection
        version = f"/{exchange.options.get('api_version') or USUAL_VERSION}".encode()
        base = with_version(connection.path_prefix, version)
        return connection.origin, base + b"/" + _resource(exchange.model) + method_of(exchange)


def method_of(exchange: Exchange) -> bytes:
    """Return what is asked of the model, as the end of a path with its query: `:streamGenerateContent?alt=sse`."""
    if exchange.operation is Operation.CHAT and exchange.stream:
        return b":streamGenerateContent?alt=sse"
    if exchange.operation is Operation.EMBEDDING and exchange.variant == EMBED_ONE:
        return b":embedContent"
    return _METHODS[exchange.operation]


def _resource(model: str) -> bytes:
    return quote_model(model, slashes=True) if model.startswith(_KINDS) else b"models/" + quote_model(model)
