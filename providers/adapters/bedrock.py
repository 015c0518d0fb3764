"""Amazon Bedrock's runtime: a model in the path, a region in the host, and a signature or an API key.

Paths are those of botocore 1.44's bedrock-runtime: `/model/{modelId}/converse`, `converse-stream` and `invoke`.
"""

import re
from urllib.parse import quote

from kernel.errors import UpstreamRefused
from providers.adapters.base import Exchange, UpstreamAnswer
from providers.adapters.connection import Headers
from providers.adapters.http import HttpClient, Origin, UpstreamRequest
from providers.adapters.raw import layer_headers
from providers.adapters.refusals import explain_refusal
from providers.adapters.signing import Signer, is_api_key
from providers.dialects.canonical import Dialect

_REGION = re.compile(r"[a-z0-9-]+")
_EVENT_STREAM = b"application/vnd.amazon.eventstream"
_JSON = (b"content-type", b"application/json")
_EXPIRED = b"ExpiredToken"


class BedrockAdapter:
    """Sends bodies in Converse's dialect, or a model's own, to a region's runtime."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._signer = Signer()

    async def send(self, exchange: Exchange) -> UpstreamAnswer:
        """Send a request and return once the answer's head is in.

        Raises UpstreamIOError, or UpstreamRefused where nothing was sent for want of a region or a credential. A token
        that expired is replaced and the request sent once more: such a request has cost nothing.
        """
        region = _region_of(exchange)
        answer = await self._send(exchange, region)
        credential = exchange.connection.credential
        if not _is_expired(answer) or is_api_key(credential):
            return answer
        answer.close()
        self._signer.forget(credential, region)
        return await self._send(exchange, region)

    def explain(self, exchange: Exchange, answer: UpstreamAnswer, body: bytes) -> UpstreamRefused:
        """Return what an error status means: whose fault it is, and whether another try may help."""
        refused = explain_refusal(exchange, answer, body)
        if refused.code == "model_not_found":
            return _no_model(exchange.model, refused.message)
        if refused.status == 424:  # the model failed; to most clients the status says nothing
            refused.status = 502
        elif refused.code == "insufficient_quota":  # a 400 here, though the request is as it should be
            refused.status = 429
        return refused

    async def _send(self, exchange: Exchange, region: str) -> UpstreamAnswer:
        connection, body, raw = exchange.connection, exchange.body, exchange.raw
        assert isinstance(body, bytes), "forms are never sent here"
        origin = connection.origin if connection.has_address else origin_of(region)
        prefix = connection.path_prefix if connection.has_address else b""
        target = prefix + path_of(exchange) if raw is None else raw.under(prefix)
        method = "POST" if raw is None else raw.method
        given = layer_headers(connection.extra_headers, exchange.headers, (_JSON,) if raw is None else ())
        own = await self._signer.headers(
            connection.credential,
            region,
            url=f"{origin}{target.decode()}",
            headers=given,
            body=body,
            method=method,
        )
        request = UpstreamRequest(
            method=method,
            origin=origin,
            target=target,
            headers=(*own, *layer_headers(given, _unsigned_headers(exchange))),
            body=body,
            timeouts=exchange.timeouts,
        )
        return await self._client.send(request)


def origin_of(region: str) -> Origin:
    """Return where a region's runtime is."""
    return Origin("https", f"bedrock-runtime.{region}.amazonaws.com", 443)


def path_of(exchange: Exchange) -> bytes:
    """Return the path of a request; a model may be an ARN, slashes and all. Raises UpstreamRefused for no model."""
    if exchange.model in {"", ".", ".."}:
        raise _no_model(exchange.model, "no model can be called so")
    if exchange.dialect is Dialect.CONVERSE:
        action = "converse-stream" if exchange.stream else "converse"
    else:
        action = "invoke"
    return f"/model/{quote(exchange.model, safe='')}/{action}".encode()


def _unsigned_headers(exchange: Exchange) -> Headers:
    """Return the headers that somebody on the way may change without breaking the signature."""
    return (
        (b"accept", _EVENT_STREAM if exchange.stream else b"application/json"),
        (b"user-agent", b"llmgateway"),
        (b"x-request-id", exchange.request_id.encode()),
        (b"amz-sdk-invocation-id", exchange.attempt_id.encode()),  # so that a log can be matched, attempt by attempt
    )


def _is_expired(answer: UpstreamAnswer) -> bool:
    return answer.status == 403 and _EXPIRED in (answer.header(b"x-amzn-errortype") or b"")


def _no_model(model: str, why: str) -> UpstreamRefused:
    message = f"the provider has no model '{model[:200]}': {why}"
    return UpstreamRefused(message, status=404, code="model_not_found", retryable=False)


def _region_of(exchange: Exchange) -> str:
    """Return the region; it is not needed where the address is given and nothing is signed."""
    connection = exchange.connection
    region = exchange.options.get("region", "")
    if _REGION.fullmatch(region) or (not region and connection.has_address and is_api_key(connection.credential)):
        return region
    wrong = f"has an impossible region, '{region}'" if region else "has no region"
    raise UpstreamRefused(
        f"the operator has to look at provider {connection.slug}: it {wrong}",
        status=502,
        code="provider_misconfigured",
        retryable=False,
    )
