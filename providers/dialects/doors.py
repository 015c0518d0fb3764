"""Every front door that inference is asked for at. A new one is a line here and a path in `gateway.views`."""

from typing import Final

from providers.dialects.anthropic_messages import codec as anthropic
from providers.dialects.anthropic_messages import counting as anthropic_counting
from providers.dialects.canonical import Dialect, Operation
from providers.dialects.cohere_rank import codec as cohere
from providers.dialects.door import Door
from providers.dialects.gemini_generate import codec as gemini
from providers.dialects.gemini_generate import counting as gemini_counting
from providers.dialects.openai_chat import codec as openai
from providers.dialects.openai_chat.vectors import restate_vectors
from providers.dialects.openai_media import codec as media
from providers.dialects.openai_responses import codec as responses
from providers.dialects.openai_responses import counting as responses_counting

CHAT: Final = Door(
    Dialect.OPENAI,
    Operation.CHAT,
    heads=openai.CHAT_FRONT,
    front=openai.CHAT_FRONT,
    through=openai.CHAT_THROUGH,
    id_prefix="chatcmpl",
)
COMPLETIONS: Final = Door(
    Dialect.OPENAI,
    Operation.COMPLETION,
    heads=openai.COMPLETION_FRONT,
    front=openai.COMPLETION_FRONT,
    through=openai.COMPLETION_THROUGH,
    id_prefix="cmpl",
)
EMBEDDINGS: Final = Door(
    Dialect.OPENAI,
    Operation.EMBEDDING,
    heads=openai.EMBEDDING_FRONT,
    front=openai.EMBEDDING_FRONT,
    through=openai.EMBEDDING_THROUGH,
    restate=restate_vectors,
)
IMAGES: Final = Door(
    Dialect.OPENAI,
    Operation.IMAGE,
    heads=media.IMAGE_FRONT,
    front=media.IMAGE_FRONT,
    through=media.IMAGE_THROUGH,
)
IMAGE_EDITS: Final = Door(
    Dialect.OPENAI, Operation.IMAGE_EDIT, heads=media.IMAGE_EDIT_HEADS, through=media.IMAGE_THROUGH
)
SPEECH: Final = Door(Dialect.OPENAI, Operation.SPEECH, heads=media.SPEECH_HEADS, through=media.SPEECH_THROUGH)
TRANSCRIPTIONS: Final = Door(
    Dialect.OPENAI, Operation.TRANSCRIPTION, heads=media.TRANSCRIPTION_HEADS, through=media.TRANSCRIPTION_THROUGH
)
TRANSLATIONS: Final = Door(
    Dialect.OPENAI, Operation.TRANSLATION, heads=media.TRANSCRIPTION_HEADS, through=media.TRANSCRIPTION_THROUGH
)
MODERATIONS: Final = Door(
    Dialect.OPENAI, Operation.MODERATION, heads=media.MODERATION_HEADS, through=media.MODERATION_THROUGH
)
RERANK: Final = Door(
    Dialect.COHERE,
    Operation.RERANK,
    heads=cohere.RERANK_FRONT,
    front=cohere.RERANK_FRONT,
    through=cohere.RERANK_THROUGH,
    id_prefix="rerank",
)
RESPONSES: Final = Door(
    Dialect.RESPONSES,
    Operation.CHAT,
    heads=responses.CHAT_FRONT,
    front=responses.CHAT_FRONT,
    through=responses.CHAT_THROUGH,
    id_prefix="resp",
)
COUNT_RESPONSE: Final = Door(
    Dialect.RESPONSES,
    Operation.TOKEN_COUNT,
    heads=responses.CHAT_FRONT,
    through=responses.COUNT_THROUGH,
    encode_count=responses_counting.encode_count,
)
COMPACT_RESPONSE: Final = Door(
    Dialect.RESPONSES, Operation.COMPACTION, heads=responses.CHAT_FRONT, through=responses.COMPACT_THROUGH
)
MESSAGES: Final = Door(
    Dialect.ANTHROPIC,
    Operation.CHAT,
    heads=anthropic.CHAT_FRONT,
    front=anthropic.CHAT_FRONT,
    through=anthropic.CHAT_THROUGH,
    id_prefix="msg",
)
COUNT_MESSAGES: Final = Door(
    Dialect.ANTHROPIC,
    Operation.TOKEN_COUNT,
    heads=anthropic.COUNT_FRONT,
    front=anthropic.COUNT_FRONT,
    through=anthropic.COUNT_THROUGH,
    encode_count=anthropic_counting.encode_count,
)
GENERATE: Final = Door(
    Dialect.GEMINI,
    Operation.CHAT,
    heads=gemini.CHAT_FRONT,
    front=gemini.CHAT_FRONT,
    through=gemini.CHAT_THROUGH,
    id_prefix="gen",
)
GENERATE_ARRAY: Final = Door(
    Dialect.GEMINI,
    Operation.CHAT,
    heads=gemini.CHAT_FRONT,
    front=gemini.CHAT_ARRAY_FRONT,
    through=gemini.CHAT_ARRAY_THROUGH,
    id_prefix="gen",
    stream_type=b"application/json",
)
COUNT_CONTENT: Final = Door(
    Dialect.GEMINI,
    Operation.TOKEN_COUNT,
    heads=gemini.COUNT_FRONT,
    front=gemini.COUNT_FRONT,
    through=gemini.COUNT_THROUGH,
    encode_count=gemini_counting.encode_count,
)
EMBED_ONE: Final = Door(
    Dialect.GEMINI,
    Operation.EMBEDDING,
    heads=gemini.EMBED_ONE_FRONT,
    front=gemini.EMBED_ONE_FRONT,
    through=gemini.EMBEDDING_THROUGH,
    variant="embedContent",
)
EMBED_MANY: Final = Door(
    Dialect.GEMINI,
    Operation.EMBEDDING,
    heads=gemini.EMBED_MANY_FRONT,
    front=gemini.EMBED_MANY_FRONT,
    through=gemini.EMBEDDING_THROUGH,
)
