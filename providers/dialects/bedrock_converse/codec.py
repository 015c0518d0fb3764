"""Converse as the gateway speaks it to Bedrock. Nobody speaks it to the gateway: there is no front."""

from providers.dialects.bedrock_converse.errors import read_error
from providers.dialects.bedrock_converse.request import encode_request
from providers.dialects.bedrock_converse.response import decode_answer
from providers.dialects.bedrock_converse.stream import ConverseStreamDecoder
from providers.dialects.codec import Back, Encoded, ErrorReport, HeaderOf, Upstream
from providers.dialects.conversation import Answer, Request


class ConverseBack:
    """A `codec.Back` for conversations."""

    stream_type = b"application/vnd.amazon.eventstream"

    def encode_request(self, request: Request, upstream: Upstream) -> Encoded:
        """Return the body. Raises InvalidRequest for content that the model can't take, which no policy may drop."""
        return encode_request(request, upstream)

    def decode_answer(self, body: bytes) -> Answer:
        """Return a whole answer. Raises UpstreamBroken where the bytes are none."""
        return decode_answer(body)

    def decoder(self) -> ConverseStreamDecoder:
        """Return what reads a stream."""
        return ConverseStreamDecoder()

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        """Return what an error answer says; None where it is none of the dialect's."""
        return read_error(status, header, body)


CHAT_BACK: Back[Request, Answer] = ConverseBack()
