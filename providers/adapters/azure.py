"""Azure OpenAI: OpenAI's bodies on two surfaces.

`v1` has OpenAI's own paths under `/openai/v1`, and the body's model is the deployment. The older surface names the
deployment in the path and wants an `api-version`; what its deployments don't have stands beside them under `/openai`
(learn.microsoft.com, "Azure OpenAI API version lifecycle", and openai 3.52's Azure client, November 2026).
"""

from collections.abc import Mapping
from urllib.parse import quote

from providers.adapters.base import Exchange
from providers.adapters.http import Origin
from providers.adapters.http_adapter import HttpAdapter, quote_model
from providers.adapters.openai_compatible import path_of
from providers.dialects.canonical import Dialect

USUAL_VERSION = "2024-10-21"
DEPLOYMENTS = "deployments"
V1_VERSIONS = frozenset({"v1", "preview", "latest"})  # of which only preview has to be asked for
_SURFACES = (b"/openai/v1", b"/openai")  # that people put at the end of the address


class AzureAdapter(HttpAdapter):
    """Sends bodies to one of the two surfaces, whichever the options name."""

    def place(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where a request goes."""
        connection = exchange.connection
        prefix = next((p for end in _SURFACES if (p := _cut(connection.path_prefix, end)) is not None), None)
        base = (connection.path_prefix if prefix is None else prefix) + b"/openai"
        deployed = uses_deployments(exchange.options)
        return connection.origin, base + (_deployment_path(exchange) if deployed else _v1_path(exchange))


def uses_deployments(options: Mapping[str, str]) -> bool:
    """Tell whether the older surface is meant; a version without a surface means it."""
    surface, version = options.get("surface"), options.get("api_version")
    return surface == DEPLOYMENTS or bool(not surface and version and version not in V1_VERSIONS)


def version_query(options: Mapping[str, str], usual: str) -> bytes:
    """Return the query that names the version, empty where there is none."""
    version = options.get("api_version") or usual
    if version in V1_VERSIONS - {"preview"}:
        return b""
    return f"?api-version={quote(version, safe='')}".encode() if version else b""


def _v1_path(exchange: Exchange) -> bytes:
    return b"/v1" + path_of(exchange) + version_query(exchange.options, "")


def _deployment_path(exchange: Exchange) -> bytes:
    path = path_of(exchange) + version_query(exchange.options, USUAL_VERSION)
    if exchange.dialect is Dialect.RESPONSES:
        return path
    return b"/deployments/" + quote_model(exchange.model) + path


def _cut(prefix: bytes, end: bytes) -> bytes | None:
    return prefix.removesuffix(end) if prefix.endswith(end) else None
