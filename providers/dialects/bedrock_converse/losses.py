"""What of a request Converse has no words for, collected while the request is written, by the client's own names."""

from collections.abc import Mapping
from types import MappingProxyType

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect

# Where a client's dialect calls a field otherwise than the hub does.
_OPENAI = MappingProxyType({"reasoning": "reasoning_effort", "output_format": "response_format"})
_RESPONSES = MappingProxyType({"output_format": "text.format"})
_ANTHROPIC = MappingProxyType(
    {
        "reasoning": "thinking",
        "output_format": "output_config.format",
        "stop": "stop_sequences",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "user": "metadata.user_id",
    }
)
_GEMINI = MappingProxyType(
    {
        "reasoning": "generationConfig.thinkingConfig",
        "output_format": "generationConfig.responseMimeType",
        "stop": "generationConfig.stopSequences",
        "tool_choice": "toolConfig",
        "temperature": "generationConfig.temperature",
        "top_p": "generationConfig.topP",
        "top_k": "generationConfig.topK",
        "seed": "generationConfig.seed",
        "n": "generationConfig.candidateCount",
        "frequency_penalty": "generationConfig.frequencyPenalty",
        "presence_penalty": "generationConfig.presencePenalty",
        "logprobs": "generationConfig.responseLogprobs",
        "top_logprobs": "generationConfig.logprobs",
    }
)
_NAMES: Mapping[Dialect, Mapping[str, str]] = MappingProxyType(
    {
        Dialect.OPENAI: _OPENAI,
        Dialect.RESPONSES: _RESPONSES,
        Dialect.ANTHROPIC: _ANTHROPIC,
        Dialect.GEMINI: _GEMINI,
    }
)


class Losses:
    """Two lists that grow: `unsupported` would have changed the answer, `ignored` would not."""

    __slots__ = ("_names", "ignored", "unsupported")

    def __init__(self, dialect: Dialect) -> None:
        self._names = _NAMES.get(dialect, {})
        self.unsupported: dict[str, None] = {}
        self.ignored: dict[str, None] = {}

    def miss(self, field: str) -> None:
        """Note a field that would have changed the answer."""
        self.unsupported[self._names.get(field, field)] = None

    def overlook(self, field: str) -> None:
        """Note a field that would not."""
        self.ignored[self._names.get(field, field)] = None


def refuse(message: str, param: str, *, code: str = "unsupported_content") -> InvalidRequest:
    """Return the error for content that can't be said, and that no policy may drop."""
    return InvalidRequest(message, code=code, param=param)
