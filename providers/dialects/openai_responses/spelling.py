"""What a client calls a field that can't be said here, so that the complaint is in the client's own words."""

from collections.abc import Mapping

from providers.dialects.canonical import Dialect

_GEMINI = "generationConfig."
_CONVERSE = "inferenceConfig."
_NAMES: Mapping[str, Mapping[Dialect, str]] = {
    "stop": {
        Dialect.ANTHROPIC: "stop_sequences",
        Dialect.GEMINI: f"{_GEMINI}stopSequences",
        Dialect.CONVERSE: f"{_CONVERSE}stopSequences",
    },
    "temperature": {Dialect.GEMINI: f"{_GEMINI}temperature", Dialect.CONVERSE: f"{_CONVERSE}temperature"},
    "top_p": {Dialect.GEMINI: f"{_GEMINI}topP", Dialect.CONVERSE: f"{_CONVERSE}topP"},
    "top_k": {Dialect.GEMINI: f"{_GEMINI}topK"},
    "seed": {Dialect.GEMINI: f"{_GEMINI}seed"},
    "n": {Dialect.GEMINI: f"{_GEMINI}candidateCount"},
    "frequency_penalty": {Dialect.GEMINI: f"{_GEMINI}frequencyPenalty"},
    "presence_penalty": {Dialect.GEMINI: f"{_GEMINI}presencePenalty"},
    "logprobs": {Dialect.GEMINI: f"{_GEMINI}responseLogprobs", Dialect.RESPONSES: "include"},
    "top_logprobs": {Dialect.GEMINI: f"{_GEMINI}logprobs"},
    "response_format": {
        Dialect.ANTHROPIC: "output_config",
        Dialect.GEMINI: f"{_GEMINI}responseSchema",
        Dialect.RESPONSES: "text.format",
    },
    "reasoning": {
        Dialect.OPENAI: "reasoning_effort",
        Dialect.ANTHROPIC: "thinking",
        Dialect.GEMINI: f"{_GEMINI}thinkingConfig",
    },
    "tools": {Dialect.CONVERSE: "toolConfig"},
}


def spell(name: str, dialect: Dialect) -> str:
    """Return a field's name in the dialect that a request came in."""
    return _NAMES.get(name, {}).get(dialect, name)
