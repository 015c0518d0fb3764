"""What the dialect does at the front, at the back and in between."""

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Head, Prompt
from providers.dialects.codec import (
    Asked,
    Back,
    CostOf,
    Encoded,
    ErrorReport,
    ErrorWriter,
    Facts,
    Front,
    HeaderOf,
    PathFacts,
    StreamReader,
    Through,
    Upstream,
)
from providers.dialects.cohere_rank import request, response
from providers.dialects.cohere_rank.errors import CohereErrors, read_error
from providers.dialects.openai_chat.request import names_model_twice, patch
from providers.dialects.ranking import RankingAnswer, RankingRequest
from providers.dialects.unstreamed import UnstreamedBack, UnstreamedFront


class RankFront(UnstreamedFront):
    """Ranking, as clients ask for it."""

    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        """Return what routing needs. Raises InvalidRequest that names the field."""
        return request.decode_head(body)

    def read_prompt(self, body: bytes) -> Prompt:
        """Return what the model reads, of a request whose head was decoded without complaint."""
        return request.read_prompt(body)

    def decode_request(self, body: bytes, path: PathFacts) -> RankingRequest:
        """Return the request. Raises InvalidRequest that names the field."""
        return request.decode_request(body)

    def encode_answer(self, answer: RankingAnswer, asked: Asked) -> bytes:
        """Return the body of a whole answer."""
        return response.encode_answer(answer, asked)


class RankBack(UnstreamedBack):
    """Ranking, as providers do it."""

    def encode_request(self, request_: RankingRequest, upstream: Upstream) -> Encoded:
        """Return the body."""
        return request.encode_request(request_, upstream)

    def decode_answer(self, body: bytes) -> RankingAnswer:
        """Return a whole answer. Raises UpstreamBroken where the bytes are none."""
        return response.decode_answer(body)

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        """Return what an error answer says; None where it is none of the dialect's."""
        return read_error(status, header, body)


class RankThrough:
    """Bytes that pass as they are, but for the model's name."""

    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        """Return the body with the upstream's model."""
        is_other_model = head.model != upstream.model or names_model_twice(body)
        return patch(body, model=upstream.model if is_other_model else None, once=once)

    def read_facts(self, body: bytes) -> Facts:
        """Return what accounting needs of a whole answer. Raises UpstreamBroken where the bytes are none."""
        return response.read_facts(body)

    def reader(self, head: Head, cost_of: CostOf) -> StreamReader:
        """Raise InvalidRequest: ranked documents are not streamed."""
        raise InvalidRequest("This answer can't be streamed.", code="unsupported_parameter", param="stream")


RERANK_FRONT: Front[RankingRequest, RankingAnswer] = RankFront()
RERANK_BACK: Back[RankingRequest, RankingAnswer] = RankBack()
RERANK_THROUGH: Through = RankThrough()
ERRORS: ErrorWriter = CohereErrors()
