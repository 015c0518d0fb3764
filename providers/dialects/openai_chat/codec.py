"""What this dialect offers the rest of the house, one object a contract of `providers.dialects.codec`."""

from kernel.errors import GatewayError, InvalidRequest
from providers.dialects.canonical import Head, Operation, Prompt
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
    Through,
    Upstream,
)
from providers.dialects.codec import StreamReader as Reader
from providers.dialects.conversation import Answer, Request
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.openai_chat import answering, asking, completing, embeddings, request, response
from providers.dialects.openai_chat.conversing import decode_request
from providers.dialects.openai_chat.decoder import ChatDecoder
from providers.dialects.openai_chat.encoder import ChatEncoder
from providers.dialects.openai_chat.errors import encode_error
from providers.dialects.openai_chat.measure import read_prompt
from providers.dialects.openai_chat.prompting import decode_prompt
from providers.dialects.openai_chat.reading import decode_answer
from providers.dialects.openai_chat.refusals import read_report
from providers.dialects.openai_chat.stream import StreamReader

_EVENT_STREAM = b"text/event-stream"
_OLDER_CAP = ("max_tokens",)


class _Heads:
    """What is read of a request before it is known where it goes."""

    operation: Operation

    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        """Return what routing needs. Raises InvalidRequest that names the field."""
        del path  # everything stands in the body
        return request.decode_head(self.operation, body)

    def read_prompt(self, body: bytes) -> Prompt:
        """Return what the model reads, for counting."""
        return read_prompt(self.operation, body)


class OpenAIChatFront(_Heads):
    """Chat completions, as clients speak them."""

    operation = Operation.CHAT

    def decode_request(self, body: bytes, path: PathFacts) -> Request:
        """Return the request. Raises InvalidRequest that names the field."""
        del path
        return decode_request(body)

    def encode_answer(self, answer: Answer, asked: Asked) -> bytes:
        """Return the body of a whole answer."""
        return answering.encode_answer(answer, asked)

    def encoder(self, asked: Asked, cost_of: CostOf) -> StreamEncoder:
        """Return what writes a stream."""
        return ChatEncoder(asked, cost_of)


class OpenAICompletionFront(_Heads):
    """Plain completions, as clients speak them to models that converse."""

    operation = Operation.COMPLETION

    def decode_request(self, body: bytes, path: PathFacts) -> Request:
        """Return the request. Raises InvalidRequest that names the field."""
        del path
        return decode_prompt(body)

    def encode_answer(self, answer: Answer, asked: Asked) -> bytes:
        """Return the body of a whole answer."""
        return completing.encode_completion(answer, asked)

    def encoder(self, asked: Asked, cost_of: CostOf) -> StreamEncoder:
        """Return what writes a stream."""
        return completing.CompletionEncoder(asked, cost_of)


class OpenAIEmbeddingFront(_Heads):
    """Embeddings, as clients speak them."""

    operation = Operation.EMBEDDING

    def decode_request(self, body: bytes, path: PathFacts) -> EmbeddingRequest:
        """Return the request. Raises InvalidRequest that names the field."""
        del path
        return embeddings.decode_embedding_request(body)

    def encode_answer(self, answer: EmbeddingAnswer, asked: Asked) -> bytes:
        """Return the body of a whole answer."""
        return embeddings.encode_embedding_answer(answer, asked)

    def encoder(self, asked: Asked, cost_of: CostOf) -> StreamEncoder:
        """Raise InvalidRequest: there is no such stream."""
        del asked, cost_of
        raise _no_stream()


class OpenAIChatBack:
    """Chat completions, as servers speak them."""

    stream_type = _EVENT_STREAM

    def encode_request(self, request: Request, upstream: Upstream) -> Encoded:
        """Return the body. Raises InvalidRequest for content with no place in it."""
        return asking.encode_request(request, upstream)

    def decode_answer(self, body: bytes) -> Answer:
        """Return a whole answer. Raises UpstreamBroken."""
        return decode_answer(body)

    def decoder(self) -> StreamDecoder:
        """Return what reads a stream."""
        return ChatDecoder()

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        """Return what an error answer says; None where it is none of the dialect's."""
        return read_report(status, header, body)


class OpenAIEmbeddingBack:
    """Embeddings, as servers speak them."""

    stream_type = b""

    def encode_request(self, request: EmbeddingRequest, upstream: Upstream) -> Encoded:
        """Return the body."""
        return embeddings.encode_embedding_request(request, upstream)

    def decode_answer(self, body: bytes) -> EmbeddingAnswer:
        """Return a whole answer. Raises UpstreamBroken."""
        return embeddings.decode_embedding_answer(body)

    def decoder(self) -> StreamDecoder:
        """Raise InvalidRequest: there is no such stream."""
        raise _no_stream()

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        """Return what an error answer says; None where it is none of the dialect's."""
        return read_report(status, header, body)


class OpenAIThrough:
    """Requests and answers that pass; `cap_fields` stand in for the upstream's where the operation has its own."""

    def __init__(self, *, cap_fields: tuple[str, ...] | None = None, is_capped: bool = True) -> None:
        self._cap_fields = cap_fields
        self._is_capped = is_capped

    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        """Return the body with what must change."""
        is_other_model = head.model != upstream.model or request.names_model_twice(body)
        return request.patch(
            body,
            model=upstream.model if is_other_model else None,
            include_usage=upstream.ask_usage and head.stream and not head.wants_stream_usage,
            output_cap=upstream.cap if self._is_capped else None,
            cap_fields=self._cap_fields or upstream.cap_fields,
            once=once,
            spelling=upstream.spelling,
        )

    def read_facts(self, body: bytes) -> Facts:
        """Return what accounting needs of a whole answer. Raises UpstreamBroken."""
        return response.decode_answer(body)

    def reader(self, head: Head, cost_of: CostOf) -> Reader:
        """Return what passes a stream on."""
        return StreamReader(wants_usage=head.wants_stream_usage, cost_of=cost_of)


class OpenAIErrors:
    """How clients of this dialect are told of an error."""

    def status_of(self, error: GatewayError) -> int:
        """Return the error's own status; this dialect has a use for each."""
        return error.status

    def encode_error(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the envelope."""
        return encode_error(error, request_id=request_id)


def _no_stream() -> InvalidRequest:
    return InvalidRequest("embeddings don't come as a stream", code="unsupported_value", param="stream")


CHAT_FRONT: Front[Request, Answer] = OpenAIChatFront()
CHAT_BACK: Back[Request, Answer] = OpenAIChatBack()
CHAT_THROUGH: Through = OpenAIThrough()
COMPLETION_FRONT: Front[Request, Answer] = OpenAICompletionFront()
COMPLETION_THROUGH: Through = OpenAIThrough(cap_fields=_OLDER_CAP)
EMBEDDING_FRONT: Front[EmbeddingRequest, EmbeddingAnswer] = OpenAIEmbeddingFront()
EMBEDDING_BACK: Back[EmbeddingRequest, EmbeddingAnswer] = OpenAIEmbeddingBack()
EMBEDDING_THROUGH: Through = OpenAIThrough(is_capped=False)
ERRORS: ErrorWriter = OpenAIErrors()
