"""Hugging Face: OpenAI's dialect at its router, and vectors from feature extraction beside it."""

from providers.adapters.base import Exchange
from providers.adapters.http import Origin
from providers.adapters.http_adapter import HttpAdapter, quote_model
from providers.adapters.openai_compatible import path_of
from providers.dialects.canonical import Dialect


class HuggingFaceAdapter(HttpAdapter):
    """Sends bodies to the router, or to a server of one's own (Text Embeddings Inference) at another address.

    Paths are those of huggingface_hub 2.4 and of TEI's API (November 2026).
    """

    def place(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where a request goes."""
        connection = exchange.connection
        if exchange.dialect is not Dialect.FEATURES:
            return connection.origin, connection.path_prefix + path_of(exchange)
        _, root = self.root(exchange)
        if not connection.preset.base_url.startswith(str(connection.origin)):
            return connection.origin, root + b"/embed"
        model = quote_model(exchange.model, slashes=True)
        return connection.origin, root + b"/hf-inference/models/" + model + b"/pipeline/feature-extraction"

    def root(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where all of it is; only OpenAI's dialect stands under `/v1`."""
        return exchange.connection.origin, exchange.connection.path_prefix.removesuffix(b"/v1")
