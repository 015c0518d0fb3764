"""What this dialect offers the rest of the house, one object a contract of `providers.dialects.codec`."""

from functools import partial

from providers.dialects.canonical import Head, Operation
from providers.dialects.codec import Back, CostOf, ErrorWriter, Front, Through, Upstream, of_body
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
from providers.dialects.openai_chat.spelling import unspoken
from providers.dialects.openai_chat.stream import StreamReader
from providers.dialects.unstreamed import no_decoder, no_encoder


def _through(*, cap_fields: tuple[str, ...] | None = None, is_capped: bool = True) -> Through:
    """Return what passes requests and answers; `cap_fields` stand in for the upstream's where they are others."""

    def patch(body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        is_other_model = head.model != upstream.model or request.names_model_twice(body)
        return request.patch(
            body,
            model=upstream.model if is_other_model else None,
            include_usage=upstream.ask_usage and head.stream and not head.wants_stream_usage,
            output_cap=upstream.cap if is_capped else None,
            cap_fields=cap_fields or upstream.cap_fields,
            once=once,
            spelling=upstream.spelling,
        )

    return Through(patch=patch, read_facts=response.decode_answer, reader=_reader, unspoken=_unspoken)


def _unspoken(body: bytes, upstream: Upstream) -> tuple[str, ...]:
    return unspoken(body, upstream.spelling) if upstream.spelling else ()


def _reader(head: Head, cost_of: CostOf) -> StreamReader:
    return StreamReader(wants_usage=head.wants_stream_usage, cost_of=cost_of)


CHAT_FRONT: Front[Request, Answer] = Front(
    decode_head=of_body(partial(request.decode_head, Operation.CHAT)),
    read_prompt=partial(read_prompt, Operation.CHAT),
    decode_request=of_body(decode_request),
    encode_answer=answering.encode_answer,
    encoder=ChatEncoder,
)
CHAT_BACK: Back[Request, Answer] = Back(
    encode_request=asking.encode_request,
    decode_answer=decode_answer,
    decoder=ChatDecoder,
    read_error=read_report,
)
CHAT_THROUGH = _through()
COMPLETION_FRONT: Front[Request, Answer] = Front(
    decode_head=of_body(partial(request.decode_head, Operation.COMPLETION)),
    read_prompt=partial(read_prompt, Operation.COMPLETION),
    decode_request=of_body(decode_prompt),
    encode_answer=completing.encode_completion,
    encoder=completing.CompletionEncoder,
)
COMPLETION_THROUGH = _through(cap_fields=("max_tokens",))
EMBEDDING_FRONT: Front[EmbeddingRequest, EmbeddingAnswer] = Front(
    decode_head=of_body(partial(request.decode_head, Operation.EMBEDDING)),
    read_prompt=partial(read_prompt, Operation.EMBEDDING),
    decode_request=of_body(embeddings.decode_embedding_request),
    encode_answer=embeddings.encode_embedding_answer,
    encoder=no_encoder,
)
EMBEDDING_BACK: Back[EmbeddingRequest, EmbeddingAnswer] = Back(
    encode_request=embeddings.encode_embedding_request,
    decode_answer=embeddings.decode_embedding_answer,
    decoder=no_decoder,
    read_error=read_report,
    stream_type=b"",
)
EMBEDDING_THROUGH = _through(is_capped=False)
ERRORS = ErrorWriter(encode_error)
