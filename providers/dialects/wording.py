"""What a client calls a field that its provider can't be told of, so that the complaint is in the client's own words.

A field is named here as the hub or OpenAI calls it; a dialect without an entry calls it the same.
"""

from collections.abc import Mapping
from types import MappingProxyType

from providers.dialects.canonical import Dialect

_GEMINI = "generationConfig."
_NAMES: Mapping[Dialect, Mapping[str, str]] = MappingProxyType(
    {
        Dialect.OPENAI: MappingProxyType({"reasoning": "reasoning_effort"}),
        Dialect.RESPONSES: MappingProxyType({"response_format": "text.format"}),
        Dialect.ANTHROPIC: MappingProxyType(
            {
                "reasoning": "thinking",
                "response_format": "output_config",
                "stop": "stop_sequences",
                "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
                "user": "metadata.user_id",
            }
        ),
        Dialect.GEMINI: MappingProxyType(
            {
                "reasoning": f"{_GEMINI}thinkingConfig",
                "response_format": f"{_GEMINI}responseMimeType",
                "stop": f"{_GEMINI}stopSequences",
                "temperature": f"{_GEMINI}temperature",
                "top_p": f"{_GEMINI}topP",
                "top_k": f"{_GEMINI}topK",
                "seed": f"{_GEMINI}seed",
                "n": f"{_GEMINI}candidateCount",
                "logprobs": f"{_GEMINI}responseLogprobs",
                "top_logprobs": f"{_GEMINI}logprobs",
                "frequency_penalty": f"{_GEMINI}frequencyPenalty",
                "presence_penalty": f"{_GEMINI}presencePenalty",
                "tool_choice": "toolConfig",
            }
        ),
    }
)


def spell(name: str, dialect: Dialect) -> str:
    """Return a field's name in the dialect that a request came in."""
    return _NAMES.get(dialect, {}).get(name, name)
