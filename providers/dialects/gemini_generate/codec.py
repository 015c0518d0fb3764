"""What the table of dialects takes from here: Gemini at the front, at the back, and where both sides speak it."""

from functools import partial

from providers.dialects.canonical import Head
from providers.dialects.codec import Asked, Back, CostOf, ErrorWriter, Front, StreamReader, Through, Upstream
from providers.dialects.conversation import Answer, Request
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.gemini_generate import counting, embeddings, request, response
from providers.dialects.gemini_generate.chunks import GeminiEncoder
from providers.dialects.gemini_generate.errors import encode_error, read_error
from providers.dialects.gemini_generate.framing import ArrayFrames, Frames
from providers.dialects.gemini_generate.passing import PassingReader
from providers.dialects.gemini_generate.stream import GeminiDecoder
from providers.dialects.unstreamed import no_decoder, no_encoder, no_reader


def _chat_front(frames: type[Frames]) -> Front[Request, Answer]:
    def encoder(asked: Asked, cost_of: CostOf) -> GeminiEncoder:
        return GeminiEncoder(asked, frames())

    return Front(
        decode_head=request.decode_head,
        read_prompt=request.read_prompt,
        decode_request=request.decode_request,
        encode_answer=response.encode_answer,
        encoder=encoder,
    )


def _chat_through(frames: type[Frames]) -> Through:
    def reader(head: Head, cost_of: CostOf) -> StreamReader:
        return PassingReader(frames())

    return Through(patch=request.patch, read_facts=response.read_facts, reader=reader)


def _embedding_front(*, many: bool) -> Front[EmbeddingRequest, EmbeddingAnswer]:
    def encode_answer(answer: EmbeddingAnswer, asked: Asked) -> bytes:
        return embeddings.encode_answer(answer, many=many)

    return Front(
        decode_head=partial(embeddings.decode_head, many=many),
        read_prompt=partial(embeddings.read_prompt, many=many),
        decode_request=partial(embeddings.decode_request, many=many),
        encode_answer=encode_answer,
        encoder=no_encoder,
    )


def _patch_embedding(body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
    return embeddings.patch(body, upstream, once=once)


def _patch_count(body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
    return counting.patch(body, upstream, once=once)


CHAT_FRONT = _chat_front(Frames)
CHAT_ARRAY_FRONT = _chat_front(ArrayFrames)
CHAT_BACK: Back[Request, Answer] = Back(
    encode_request=request.encode_request,
    decode_answer=response.decode_answer,
    decoder=GeminiDecoder,
    read_error=read_error,
    stream_type=Frames.content_type,
)
CHAT_THROUGH = _chat_through(Frames)
CHAT_ARRAY_THROUGH = _chat_through(ArrayFrames)
COUNT_FRONT: Front[Request, int] = Front(
    decode_head=counting.decode_head,
    read_prompt=counting.read_prompt,
    decode_request=counting.decode_request,
    encode_answer=lambda answer, asked: counting.encode_count(answer),
    encoder=no_encoder,
)
COUNT_BACK: Back[Request, int] = Back(
    encode_request=counting.encode_request,
    decode_answer=counting.decode_count,
    decoder=no_decoder,
    read_error=read_error,
    stream_type=b"",
)
COUNT_THROUGH = Through(patch=_patch_count, read_facts=counting.read_facts, reader=no_reader)
EMBED_ONE_FRONT = _embedding_front(many=False)
EMBED_MANY_FRONT = _embedding_front(many=True)
EMBEDDING_BACK: Back[EmbeddingRequest, EmbeddingAnswer] = Back(
    encode_request=embeddings.encode_request,
    decode_answer=embeddings.decode_answer,
    decoder=no_decoder,
    read_error=read_error,
    stream_type=b"",
)
EMBEDDING_THROUGH = Through(patch=_patch_embedding, read_facts=embeddings.read_facts, reader=no_reader)
ERRORS = ErrorWriter(encode_error)
