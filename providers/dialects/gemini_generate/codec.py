"""What the table of dialects takes from here: Gemini at the front, at the back, and where both sides speak it."""

from dataclasses import dataclass

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.canonical import Head, Prompt, Usage
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
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.gemini_generate import counting, embeddings, request, response
from providers.dialects.gemini_generate.chunks import GeminiEncoder
from providers.dialects.gemini_generate.errors import GeminiErrors, read_error
from providers.dialects.gemini_generate.framing import ArrayFrames, Frames
from providers.dialects.gemini_generate.passing import PassingReader
from providers.dialects.gemini_generate.stream import GeminiDecoder
from providers.dialects.unstreamed import UnstreamedBack, UnstreamedFront

_NO_STREAM = "only generated content is streamed"


@dataclass(frozen=True, slots=True)
class _ChatFront:
    frames: type[Frames]

    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        return request.decode_head(body, path)

    def read_prompt(self, body: bytes) -> Prompt:
        return request.read_prompt(body)

    def decode_request(self, body: bytes, path: PathFacts) -> Request:
        return request.decode_request(body, path)

    def encode_answer(self, answer: Answer, asked: Asked) -> bytes:
        return response.encode_answer(answer, asked)

    def encoder(self, asked: Asked, cost_of: CostOf) -> StreamEncoder:
        return GeminiEncoder(asked, self.frames())


class _ChatBack:
    stream_type = Frames.content_type

    def encode_request(self, request_: Request, upstream: Upstream) -> Encoded:
        return request.encode_request(request_, upstream)

    def decode_answer(self, body: bytes) -> Answer:
        return response.decode_answer(body)

    def decoder(self) -> StreamDecoder:
        return GeminiDecoder()

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        return read_error(status, header, body)


@dataclass(frozen=True, slots=True)
class _ChatThrough:
    frames: type[Frames]

    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        return request.patch(body, upstream, head=head, once=once)

    def read_facts(self, body: bytes) -> Facts:
        return response.read_facts(body)

    def reader(self, head: Head, cost_of: CostOf) -> StreamReader:
        return PassingReader(self.frames())


@dataclass(frozen=True, slots=True)
class _CountFront(UnstreamedFront):
    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        return counting.decode_head(body, path)

    def read_prompt(self, body: bytes) -> Prompt:
        return counting.read_prompt(body)

    def decode_request(self, body: bytes, path: PathFacts) -> Request:
        return counting.decode_request(body, path)

    def encode_answer(self, answer: int, asked: Asked) -> bytes:
        return counting.encode_count(answer)


class _CountBack(UnstreamedBack):
    def encode_request(self, request_: Request, upstream: Upstream) -> Encoded:
        return counting.encode_request(request_, upstream)

    def decode_answer(self, body: bytes) -> int:
        return counting.decode_count(body)

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        return read_error(status, header, body)


class _CountThrough:
    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        return counting.patch(body, upstream, once=once)

    def read_facts(self, body: bytes) -> Facts:
        counting.decode_count(body)
        return Facts(usage=Usage())

    def reader(self, head: Head, cost_of: CostOf) -> StreamReader:
        raise UpstreamBroken(_NO_STREAM)


@dataclass(frozen=True, slots=True)
class _EmbeddingFront:
    many: bool

    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        return embeddings.decode_head(body, path, many=self.many)

    def read_prompt(self, body: bytes) -> Prompt:
        return embeddings.read_prompt(body, many=self.many)

    def decode_request(self, body: bytes, path: PathFacts) -> EmbeddingRequest:
        return embeddings.decode_request(body, path, many=self.many)

    def encode_answer(self, answer: EmbeddingAnswer, asked: Asked) -> bytes:
        return embeddings.encode_answer(answer, many=self.many)

    def encoder(self, asked: Asked, cost_of: CostOf) -> StreamEncoder:
        raise InvalidRequest(_NO_STREAM)


class _EmbeddingBack:
    stream_type = b""

    def encode_request(self, request_: EmbeddingRequest, upstream: Upstream) -> Encoded:
        return embeddings.encode_request(request_, upstream)

    def decode_answer(self, body: bytes) -> EmbeddingAnswer:
        return embeddings.decode_answer(body)

    def decoder(self) -> StreamDecoder:
        raise UpstreamBroken(_NO_STREAM)

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        return read_error(status, header, body)


@dataclass(frozen=True, slots=True)
class _EmbeddingThrough:
    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        return embeddings.patch(body, upstream, once=once)

    def read_facts(self, body: bytes) -> Facts:
        return embeddings.read_facts(body)

    def reader(self, head: Head, cost_of: CostOf) -> StreamReader:
        raise UpstreamBroken(_NO_STREAM)


CHAT_FRONT: Front[Request, Answer] = _ChatFront(Frames)
CHAT_ARRAY_FRONT: Front[Request, Answer] = _ChatFront(ArrayFrames)
CHAT_BACK: Back[Request, Answer] = _ChatBack()
CHAT_THROUGH: Through = _ChatThrough(Frames)
CHAT_ARRAY_THROUGH: Through = _ChatThrough(ArrayFrames)
COUNT_FRONT: Front[Request, int] = _CountFront()
COUNT_BACK: Back[Request, int] = _CountBack()
COUNT_THROUGH: Through = _CountThrough()
EMBED_ONE_FRONT: Front[EmbeddingRequest, EmbeddingAnswer] = _EmbeddingFront(many=False)
EMBED_MANY_FRONT: Front[EmbeddingRequest, EmbeddingAnswer] = _EmbeddingFront(many=True)
EMBEDDING_BACK: Back[EmbeddingRequest, EmbeddingAnswer] = _EmbeddingBack()
EMBED_ONE_THROUGH: Through = _EmbeddingThrough()
EMBED_MANY_THROUGH: Through = _EmbeddingThrough()
ERRORS: ErrorWriter = GeminiErrors()
