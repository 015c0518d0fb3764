"""Any server that speaks OpenAI's dialect: `base_url` plus a path for each operation."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.adapters.base import Exchange
from providers.adapters.http import Origin
from providers.adapters.http_adapter import HttpAdapter
from providers.dialects.canonical import Dialect, Operation

PATHS: Mapping[Operation, bytes] = MappingProxyType(
    {
        Operation.CHAT: b"/chat/completions",
        Operation.COMPLETION: b"/completions",
        Operation.EMBEDDING: b"/embeddings",
        Operation.IMAGE: b"/images/generations",
        Operation.IMAGE_EDIT: b"/images/edits",
        Operation.SPEECH: b"/audio/speech",
        Operation.TRANSCRIPTION: b"/audio/transcriptions",
        Operation.TRANSLATION: b"/audio/translations",
        Operation.MODERATION: b"/moderations",
        Operation.RERANK: b"/rerank",
    }
)
RESPONSES_PATHS: Mapping[Operation, bytes] = MappingProxyType(
    {
        Operation.CHAT: b"/responses",
        Operation.TOKEN_COUNT: b"/responses/input_tokens",
        Operation.COMPACTION: b"/responses/compact",
    }
)


def path_of(exchange: Exchange) -> bytes:
    """Return the path of an operation, from the API's root on."""
    return (RESPONSES_PATHS if exchange.dialect is Dialect.RESPONSES else PATHS)[exchange.operation]


class OpenAICompatibleAdapter(HttpAdapter):
    """Sends bodies as they are to `base_url` plus the operation's path."""

    def place(self, exchange: Exchange) -> tuple[Origin, bytes]:
        """Return where a request goes."""
        connection = exchange.connection
        return connection.origin, connection.path_prefix + path_of(exchange)
