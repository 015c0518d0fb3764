"""The Responses dialect as the contracts of `codec` have it."""

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
    StreamDecoder,
    StreamEncoder,
    StreamReader,
    Through,
    Upstream,
)
from providers.dialects.conversation import Answer, Request
from providers.dialects.openai_responses import asking, errors, measure, outgoing, request, response, stream
from providers.dialects.openai_responses.compaction import CompactionThrough
from providers.dialects.openai_responses.counting import CountThrough
from providers.dialects.openai_responses.stream_decoder import Decoder
from providers.dialects.openai_responses.stream_encoder import Encoder


class ResponsesFront:
    """Clients who create responses."""

    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        """Return what routing needs. Raises InvalidRequest that names the field."""
        return request.decode_head(body)

    def read_prompt(self, body: bytes) -> Prompt:
        """Return what the model reads, for counting."""
        return measure.read_prompt(body)

    def decode_request(self, body: bytes, path: PathFacts) -> Request:
        """Return the request. Raises InvalidRequest that names the field."""
        return asking.decode_request(body)

    def encode_answer(self, answer: Answer, asked: Asked) -> bytes:
        """Return the full resource, under the gateway's own id."""
        return response.encode_answer(answer, asked)

    def encoder(self, asked: Asked, cost_of: CostOf) -> StreamEncoder:
        """Return what writes a stream."""
        return Encoder(asked, cost_of)


class ResponsesBack:
    """Providers who create responses."""

    stream_type = b"text/event-stream"

    def encode_request(self, request: Request, upstream: Upstream) -> Encoded:
        """Return the body. Raises InvalidRequest for content that the model can't take."""
        return outgoing.encode_request(request, upstream)

    def decode_answer(self, body: bytes) -> Answer:
        """Return a whole answer. Raises UpstreamBroken where the bytes are none."""
        return response.decode_answer(body)

    def decoder(self) -> StreamDecoder:
        """Return what reads a stream."""
        return Decoder()

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        """Return what an error answer says; None where it is none of the dialect's."""
        return errors.read_error(status, header, body)


class ResponsesThrough:
    """Clients and providers who both speak it."""

    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        """Return the body with the upstream's model and cap; every other value keeps its bytes."""
        return request.patch(
            body,
            model=upstream.model if upstream.model != head.model else None,
            output_cap=upstream.cap if upstream.cap != head.max_output_tokens else None,
            once=once,
            costed=head.max_cost_nanos is not None,
        )

    def read_facts(self, body: bytes) -> Facts:
        """Return what accounting needs of a whole answer. Raises UpstreamBroken where the bytes are none."""
        return response.read_facts(body)

    def reader(self, head: Head, cost_of: CostOf) -> StreamReader:
        """Return what passes a stream on."""
        return stream.StreamReader()


CHAT_FRONT: Front[Request, Answer] = ResponsesFront()
CHAT_BACK: Back[Request, Answer] = ResponsesBack()
CHAT_THROUGH: Through = ResponsesThrough()
COMPACT_THROUGH: Through = CompactionThrough()
COUNT_THROUGH: Through = CountThrough()
ERRORS: ErrorWriter = errors.ResponsesErrors()
