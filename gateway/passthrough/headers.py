"""Which headers travel: the client's own to the provider, and the answer's back."""

from collections.abc import Iterable, Mapping
from typing import Final

from gateway.messages import Headers as HeaderList
from providers.adapters.connection import Headers

# Hop by hop, the client's credentials and addresses, what the gateway says itself, and what only it understands.
_KEPT: Final = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
        *(b"authorization", b"api-key", b"x-api-key", b"x-goog-api-key", b"cookie", b"x-goog-iam-authorization-token"),
        *(b"host", b"content-length", b"accept-encoding", b"expect", b"user-agent", b"http2-settings"),
        *(b"forwarded", b"via", b"x-real-ip", b"origin", b"referer", b"traceparent", b"tracestate"),
        *(b"idempotency-key", b"x-request-id", b"x-client-request-id", b"x-http-method-override"),
        *(b"x-method-override", b"x-original-url", b"x-rewrite-url"),
        b"x-goog-fieldmask",  # it could leave the usage out of the answer
    }
)
_KEPT_BEGINNINGS: Final = (b"x-forwarded-", b"x-gateway-", b"proxy-", b"x-amz-", b"amz-sdk-", b"sec-", b"cf-")
_RETURNED: Final = frozenset({b"content-type", b"content-disposition", b"location", b"retry-after"})


def outgoing_headers(given: Mapping[bytes, bytes]) -> Headers:
    """Return what of a client's headers a provider hears. Header names are in lower case."""
    named = {name.strip().lower() for name in given.get(b"connection", b"").split(b",")}
    return tuple(
        (name, value)
        for name, value in given.items()
        if name not in _KEPT and name not in named and not name.startswith(_KEPT_BEGINNINGS)
    )


def returned_headers(answered: Iterable[tuple[bytes, bytes]]) -> HeaderList:
    """Return what of an answer's headers the client hears."""
    return [(name, value) for name, value in answered if name in _RETURNED]
