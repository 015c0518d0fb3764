"""How a front door behaves besides what it serves: its errors, its name for the request id, its limit headers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.limit_headers import anthropic_headers, openai_headers
from gateway.messages import Headers, Incoming
from providers.dialects.anthropic_messages.codec import ERRORS as ANTHROPIC_ERRORS
from providers.dialects.canonical import Dialect
from providers.dialects.codec import ErrorWriter
from providers.dialects.gemini_generate.codec import ERRORS as GEMINI_ERRORS
from providers.dialects.openai_chat.codec import ERRORS as OPENAI_ERRORS
from usage.admission import Standing


@dataclass(frozen=True, slots=True)
class Manner:
    """The manner of one vendor's API.

    `id_headers` are the names under which the request id goes out. `query_key` is the query parameter that may carry
    the key, None where keys stay out of URLs.
    """

    errors: ErrorWriter
    write_limits: Callable[[Iterable[Standing], float], Headers]
    id_headers: tuple[bytes, ...] = (b"x-request-id",)
    query_key: str | None = None


OPENAI: Final = Manner(OPENAI_ERRORS, openai_headers)
ANTHROPIC: Final = Manner(ANTHROPIC_ERRORS, anthropic_headers, (b"request-id", b"x-request-id"))
GEMINI: Final = Manner(GEMINI_ERRORS, openai_headers, query_key="key")

BY_DIALECT: Mapping[Dialect, Manner] = MappingProxyType(
    {
        Dialect.OPENAI: OPENAI,
        Dialect.RESPONSES: OPENAI,
        Dialect.COHERE: OPENAI,
        Dialect.ANTHROPIC: ANTHROPIC,
        Dialect.GEMINI: GEMINI,
    }
)


def manner_of(incoming: Incoming) -> Manner:
    """Return the manner that the sender of a request expects, told by its path, else by its headers.

    `/v1/models` is the same path with all three vendors: their clients differ by the headers they send.
    """
    path, headers = incoming.path, incoming.headers
    if path.startswith(("/v1/messages", "/messages")):
        return ANTHROPIC
    if path.startswith("/v1beta/") or (path.startswith("/v1/models/") and incoming.method == "POST"):
        return GEMINI
    if path.startswith("/v1/models"):
        if b"x-goog-api-key" in headers or "key=" in incoming.query:
            return GEMINI
        if b"anthropic-version" in headers:
            return ANTHROPIC
    return OPENAI
