"""What the dialect does at the back; no client speaks it to the gateway.

Errors are `{"error": "…"}` or `{"error": ["…"]}`; a model that is still being loaded says so with 503 and the
`estimated_time` in seconds.
"""

from typing import Any

import msgspec

from providers.dialects.codec import Back, Encoded, ErrorReport, HeaderOf, Upstream
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.features import request, response
from providers.dialects.unstreamed import UnstreamedBack

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


class FeaturesBack(UnstreamedBack):
    """Embeddings, as Hugging Face's servers extract them. They report no usage."""

    def encode_request(self, request_: EmbeddingRequest, upstream: Upstream) -> Encoded:
        """Return the body. Raises InvalidRequest for inputs that came as tokens."""
        return request.encode_request(request_, upstream)

    def decode_answer(self, body: bytes) -> EmbeddingAnswer:
        """Return a whole answer. Raises UpstreamBroken where the bytes are none."""
        return response.decode_answer(body)

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
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


EMBEDDING_BACK: Back[EmbeddingRequest, EmbeddingAnswer] = FeaturesBack()
