"""Google's Vertex AI: hosts by location, paths by project and publisher; Gemini's and Anthropic's bodies.

Hosts and paths are those of google-genai 3.4 and of anthropic 2.11's Vertex client (November 2026).
"""

from urllib.parse import quote

from kernel.errors import UpstreamRefused
from providers.adapters.base import Exchange
from providers.adapters.gemini import method_of
from providers.adapters.http import Origin
from providers.adapters.http_adapter import HttpAdapter, quote_model, with_version
from providers.dialects.canonical import Dialect, Operation

USUAL_VERSION = "v1"
GLOBAL = "global"
_MULTI_REGIONS = ("us", "eu")
_KINDS = ("publishers/", "endpoints/")


class VertexAdapter(HttpAdapter):
    """Sends bodies to `/v1/projects/{project}/locations/{location}/publishers/{publisher}/models/{model}:{method}`."""

    def place(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where a request goes. Raises UpstreamRefused where no project is known."""
        options, (origin, prefix) = exchange.options, self.root(exchange)
        location = options.get("location") or GLOBAL
        version = f"/{options.get('api_version') or USUAL_VERSION}".encode()
        path = f"/projects/{_quoted(options.get('project', ''))}/locations/{_quoted(location)}/".encode()
        return origin, with_version(prefix, version) + path + _model_path(exchange)

    def root(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where all of its API is: the given address, else the location's."""
        connection = exchange.connection
        if connection.has_address:
            return connection.origin, connection.path_prefix
        return origin_of(exchange.options.get("location") or GLOBAL), b""


def origin_of(location: str) -> Origin:
    """Return the server of a location: global, the multi-regions us and eu, or a region."""
    host = f"{location}-aiplatform.googleapis.com"
    if location == GLOBAL:
        host = "aiplatform.googleapis.com"
    elif location in _MULTI_REGIONS:
        host = f"aiplatform.{location}.rep.googleapis.com"
    return Origin.parse(f"https://{host}")[0]


def _model_path(exchange: Exchange) -> bytes:
    if exchange.dialect is Dialect.ANTHROPIC:
        return b"publishers/anthropic/models/" + _anthropic_method(exchange)
    if exchange.model.startswith(_KINDS):
        return quote_model(exchange.model, slashes=True) + method_of(exchange)
    return b"publishers/google/models/" + quote_model(exchange.model) + method_of(exchange)


def _anthropic_method(exchange: Exchange) -> bytes:
    if exchange.operation is Operation.TOKEN_COUNT:
        return b"count-tokens:rawPredict"
    return quote_model(exchange.model) + (b":streamRawPredict" if exchange.stream else b":rawPredict")


def _quoted(value: str) -> str:
    if not value:
        raise UpstreamRefused(
            "the provider is not set up: it has no project", status=502, code="provider_misconfigured", retryable=True
        )
    return quote(value, safe="")
