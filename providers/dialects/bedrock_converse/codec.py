"""Converse as the gateway speaks it to Bedrock. Nobody speaks it to the gateway: there is no front."""

from providers.dialects.bedrock_converse.errors import read_error
from providers.dialects.bedrock_converse.request import encode_request
from providers.dialects.bedrock_converse.response import decode_answer
from providers.dialects.bedrock_converse.stream import ConverseStreamDecoder
from providers.dialects.codec import Back
from providers.dialects.conversation import Answer, Request

CHAT_BACK: Back[Request, Answer] = Back(
    encode_request=encode_request,
    decode_answer=decode_answer,
    decoder=ConverseStreamDecoder,
    read_error=read_error,
    stream_type=b"application/vnd.amazon.eventstream",
)
