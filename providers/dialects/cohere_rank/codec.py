"""What the dialect does at the front, at the back and in between."""

from providers.dialects.canonical import Head
from providers.dialects.codec import Back, ErrorWriter, Front, Through, Upstream, of_body
from providers.dialects.cohere_rank import request, response
from providers.dialects.cohere_rank.errors import encode_error, read_error
from providers.dialects.openai_chat.request import names_model_twice, patch
from providers.dialects.ranking import RankingAnswer, RankingRequest
from providers.dialects.unstreamed import no_decoder, no_encoder, no_reader


def _patch(body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
    is_other_model = head.model != upstream.model or names_model_twice(body)
    return patch(body, model=upstream.model if is_other_model else None, once=once)


RERANK_FRONT: Front[RankingRequest, RankingAnswer] = Front(
    decode_head=of_body(request.decode_head),
    read_prompt=request.read_prompt,
    decode_request=of_body(request.decode_request),
    encode_answer=response.encode_answer,
    encoder=no_encoder,
)
RERANK_BACK: Back[RankingRequest, RankingAnswer] = Back(
    encode_request=request.encode_request,
    decode_answer=response.decode_answer,
    decoder=no_decoder,
    read_error=read_error,
    stream_type=b"",
)
RERANK_THROUGH = Through(patch=_patch, read_facts=response.read_facts, reader=no_reader)
ERRORS = ErrorWriter(encode_error)
