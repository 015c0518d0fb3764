"""Who reads and writes which dialect at the back, towards providers. A new dialect is a package and its lines here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from providers.dialects.anthropic_messages import codec as anthropic
from providers.dialects.bedrock_converse import codec as converse
from providers.dialects.canonical import Dialect, Operation
from providers.dialects.codec import Back
from providers.dialects.cohere_rank import codec as cohere
from providers.dialects.features import codec as features
from providers.dialects.gemini_generate import codec as gemini
from providers.dialects.openai_chat import codec as openai
from providers.dialects.openai_media import codec as media
from providers.dialects.openai_responses import codec as responses
from providers.dialects.titan import codec as titan

BACKS: Mapping[tuple[Dialect, Operation], Back[Any, Any]] = MappingProxyType(
    {
        (Dialect.OPENAI, Operation.CHAT): openai.CHAT_BACK,
        (Dialect.OPENAI, Operation.EMBEDDING): openai.EMBEDDING_BACK,
        (Dialect.OPENAI, Operation.IMAGE): media.IMAGE_BACK,
        (Dialect.RESPONSES, Operation.CHAT): responses.CHAT_BACK,
        (Dialect.ANTHROPIC, Operation.CHAT): anthropic.CHAT_BACK,
        (Dialect.ANTHROPIC, Operation.TOKEN_COUNT): anthropic.COUNT_BACK,
        (Dialect.GEMINI, Operation.CHAT): gemini.CHAT_BACK,
        (Dialect.GEMINI, Operation.TOKEN_COUNT): gemini.COUNT_BACK,
        (Dialect.GEMINI, Operation.EMBEDDING): gemini.EMBEDDING_BACK,
        (Dialect.CONVERSE, Operation.CHAT): converse.CHAT_BACK,
        (Dialect.TITAN, Operation.EMBEDDING): titan.EMBEDDING_BACK,
        (Dialect.TITAN, Operation.IMAGE): titan.IMAGE_BACK,
        (Dialect.COHERE, Operation.RERANK): cohere.RERANK_BACK,
        (Dialect.FEATURES, Operation.EMBEDDING): features.EMBEDDING_BACK,
    }
)

# Errors look alike over all operations of a dialect, also those that are never translated.
_FIRST: Mapping[Dialect, Back[Any, Any]] = MappingProxyType(
    {dialect: back for (dialect, _), back in reversed(list(BACKS.items()))}
)


def reader_of_errors(dialect: Dialect, operation: Operation) -> Back[Any, Any]:
    """Return who reads a dialect's error answers."""
    return BACKS.get((dialect, operation)) or _FIRST[dialect]
