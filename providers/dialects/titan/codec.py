"""InvokeModel's bodies as the gateway speaks them to Bedrock. Nobody speaks them to it, and nothing is streamed."""

from kernel.errors import UpstreamBroken
from providers.dialects.bedrock_converse.errors import read_error
from providers.dialects.codec import Back, Encoded, ErrorReport, HeaderOf, Upstream
from providers.dialects.conversation import Event, Failed
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.picture import PictureAnswer, PictureRequest
from providers.dialects.titan import embeddings, pictures


class NoStream:
    """Reads what never comes; a `codec.StreamDecoder`."""

    def feed(self, data: bytes) -> list[Event]:
        """Return that it failed."""
        return self.end()

    def end(self) -> list[Event]:
        """Return that it failed."""
        return [Failed(UpstreamBroken("the provider has no streams for this operation"))]


class _Back:
    """What both have in common."""

    stream_type = b""

    def decoder(self) -> NoStream:
        """Return what fails: there are no streams."""
        return NoStream()

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        """Return what an error answer says; None where it is none of the dialect's."""
        return read_error(status, header, body)


class EmbeddingBack(_Back):
    """A `codec.Back` for vectors."""

    def encode_request(self, request: EmbeddingRequest, upstream: Upstream) -> Encoded:
        """Return the body. Raises InvalidRequest for inputs that the model can't take."""
        return embeddings.encode_request(request, upstream)

    def decode_answer(self, body: bytes) -> EmbeddingAnswer:
        """Return the vectors. Raises UpstreamBroken where the bytes hold none."""
        return embeddings.decode_answer(body)


class PictureBack(_Back):
    """A `codec.Back` for pictures."""

    def encode_request(self, request: PictureRequest, upstream: Upstream) -> Encoded:
        """Return the body."""
        return pictures.encode_request(request, upstream)

    def decode_answer(self, body: bytes) -> PictureAnswer:
        """Return the pictures. Raises UpstreamBroken where there are none."""
        return pictures.decode_answer(body)


EMBEDDING_BACK: Back[EmbeddingRequest, EmbeddingAnswer] = EmbeddingBack()
IMAGE_BACK: Back[PictureRequest, PictureAnswer] = PictureBack()
