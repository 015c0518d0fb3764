"""Anthropic's dialect as the gateway uses it: its fronts, backs and ways through."""

from providers.dialects.anthropic_messages.asking import encode_count_request, encode_request
from providers.dialects.anthropic_messages.counting import decode_count, encode_count
from providers.dialects.anthropic_messages.counting import read_facts as read_count_facts
from providers.dialects.anthropic_messages.decoder import AnthropicDecoder
from providers.dialects.anthropic_messages.encoder import AnthropicEncoder
from providers.dialects.anthropic_messages.errors import encode_error, read_error, status_of
from providers.dialects.anthropic_messages.head import decode_count_head, decode_head
from providers.dialects.anthropic_messages.measure import read_prompt
from providers.dialects.anthropic_messages.patching import patch, patch_count
from providers.dialects.anthropic_messages.request import decode_request
from providers.dialects.anthropic_messages.response import decode_answer, encode_answer, read_facts
from providers.dialects.anthropic_messages.stream import AnthropicReader
from providers.dialects.codec import Back, ErrorWriter, Front, Through, of_body
from providers.dialects.conversation import Answer, Request
from providers.dialects.unstreamed import no_decoder, no_encoder, no_reader

CHAT_FRONT: Front[Request, Answer] = Front(
    decode_head=of_body(decode_head),
    read_prompt=read_prompt,
    decode_request=of_body(decode_request),
    encode_answer=encode_answer,
    encoder=lambda asked, cost_of: AnthropicEncoder(asked),
)
CHAT_BACK: Back[Request, Answer] = Back(
    encode_request=encode_request,
    decode_answer=decode_answer,
    decoder=AnthropicDecoder,
    read_error=read_error,
)
CHAT_THROUGH = Through(patch=patch, read_facts=read_facts, reader=lambda head, cost_of: AnthropicReader())
COUNT_FRONT: Front[Request, int] = Front(
    decode_head=of_body(decode_count_head),
    read_prompt=read_prompt,
    decode_request=of_body(decode_request),
    encode_answer=lambda answer, asked: encode_count(answer),
    encoder=no_encoder,
)
COUNT_BACK: Back[Request, int] = Back(
    encode_request=encode_count_request,
    decode_answer=decode_count,
    decoder=no_decoder,
    read_error=read_error,
    stream_type=b"",
)
COUNT_THROUGH = Through(patch=patch_count, read_facts=read_count_facts, reader=no_reader)
ERRORS = ErrorWriter(encode_error, status_of)
