"""What the dialect does at the back; no client speaks it to the gateway.

Errors are `{"error": "…"}` or `{"error": ["…"]}`; a model that is still being loaded says so with 503 and the
`estimated_time` in seconds.
"""

from typing import Any

import msgspec

from providers.dialects.codec import Back, ErrorReport, HeaderOf
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.features import request, response
from providers.dialects.unstreamed import no_decoder

_CODES = {
    401: "invalid_api_key",
    402: "insufficient_quota",
    403: "permission_denied",
    404: "model_not_found",
    429: "rate_limit_exceeded",
}


class _Envelope(msgspec.Struct):
    error: Any
    estimated_time: float | None = None


_envelope = msgspec.json.Decoder(_Envelope)


def read_error(status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
    """Return what an error answer says; None where it is none of the dialect's."""
    try:
        envelope = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    said = envelope.error
    message = "; ".join(map(str, said)) if isinstance(said, list) else said
    if not isinstance(message, str):
        return None
    code = _CODES.get(status, "upstream_overloaded" if status >= 500 else "invalid_request")
    if status < 500 and "must be less than" in message and "token" in message:
        code = "context_length_exceeded"
    return ErrorReport(message, code, retry_after_s=envelope.estimated_time)


# Embeddings, as Hugging Face's servers extract them. They report no usage.
EMBEDDING_BACK: Back[EmbeddingRequest, EmbeddingAnswer] = Back(
    encode_request=request.encode_request,
    decode_answer=response.decode_answer,
    decoder=no_decoder,
    read_error=read_error,
    stream_type=b"",
)
