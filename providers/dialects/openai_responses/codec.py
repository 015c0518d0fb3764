"""The Responses dialect as the contracts of `codec` have it."""

from providers.dialects.canonical import Head
from providers.dialects.codec import Back, CostOf, ErrorWriter, Front, StreamReader, Through, Upstream, of_body
from providers.dialects.conversation import Answer, Request
from providers.dialects.openai_chat.errors import encode_error
from providers.dialects.openai_responses import (
    asking,
    compaction,
    counting,
    errors,
    measure,
    outgoing,
    request,
    response,
    stream,
)
from providers.dialects.openai_responses.stream_decoder import Decoder
from providers.dialects.openai_responses.stream_encoder import Encoder


def _patch(body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
    return request.patch(
        body,
        model=upstream.model if upstream.model != head.model else None,
        output_cap=upstream.cap if upstream.cap != head.max_output_tokens else None,
        once=once,
        costed=head.max_cost_nanos is not None,
    )


def _patch_model(body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
    """Return the body with the upstream's model, of a request that has nothing to cap."""
    model = upstream.model if upstream.model != head.model else None
    return request.patch(body, model=model, output_cap=None, once=once, costed=head.max_cost_nanos is not None)


def _reader(head: Head, cost_of: CostOf) -> StreamReader:
    return stream.StreamReader()


CHAT_FRONT: Front[Request, Answer] = Front(
    decode_head=of_body(request.decode_head),
    read_prompt=measure.read_prompt,
    decode_request=of_body(asking.decode_request),
    encode_answer=response.encode_answer,
    encoder=Encoder,
)
CHAT_BACK: Back[Request, Answer] = Back(
    encode_request=outgoing.encode_request,
    decode_answer=response.decode_answer,
    decoder=Decoder,
    read_error=errors.read_error,
)
CHAT_THROUGH = Through(patch=_patch, read_facts=response.read_facts, reader=_reader)
COMPACT_THROUGH = Through(patch=_patch_model, read_facts=compaction.read_facts, reader=_reader)
COUNT_THROUGH = Through(patch=_patch_model, read_facts=counting.read_facts, reader=_reader)
ERRORS = ErrorWriter(encode_error)
