"""InvokeModel's bodies as the gateway speaks them to Bedrock. Nobody speaks them to it, and nothing is streamed."""

from providers.dialects.bedrock_converse.errors import read_error
from providers.dialects.codec import Back
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.picture import PictureAnswer, PictureRequest
from providers.dialects.titan import embeddings, pictures
from providers.dialects.unstreamed import no_decoder

EMBEDDING_BACK: Back[EmbeddingRequest, EmbeddingAnswer] = Back(
    encode_request=embeddings.encode_request,
    decode_answer=embeddings.decode_answer,
    decoder=no_decoder,
    read_error=read_error,
    stream_type=b"",
)
IMAGE_BACK: Back[PictureRequest, PictureAnswer] = Back(
    encode_request=pictures.encode_request,
    decode_answer=pictures.decode_answer,
    decoder=no_decoder,
    read_error=read_error,
    stream_type=b"",
)
