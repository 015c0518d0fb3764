"""How clients call the fields that Anthropic may have no place for: OpenAI's word, where their dialect has no other."""

from collections.abc import Mapping

from providers.dialects.canonical import Dialect

_WORDS: Mapping[Dialect, Mapping[str, str]] = {
    Dialect.ANTHROPIC: {"reasoning_effort": "thinking", "response_format": "output_config", "stop": "stop_sequences"},
    Dialect.RESPONSES: {"reasoning_effort": "reasoning", "response_format": "text.format"},
    Dialect.GEMINI: {
        "reasoning_effort": "generationConfig.thinkingConfig",
        "response_format": "generationConfig.responseMimeType",
        "stop": "generationConfig.stopSequences",
        "temperature": "generationConfig.temperature",
        "top_p": "generationConfig.topP",
        "top_k": "generationConfig.topK",
        "seed": "generationConfig.seed",
        "n": "generationConfig.candidateCount",
        "logprobs": "generationConfig.responseLogprobs",
        "top_logprobs": "generationConfig.logprobs",
        "frequency_penalty": "generationConfig.frequencyPenalty",
        "presence_penalty": "generationConfig.presencePenalty",
    },
}


def spelled(name: str, dialect: Dialect) -> str:
    """Return a field's name in the client's dialect."""
    return _WORDS.get(dialect, {}).get(name, name)
