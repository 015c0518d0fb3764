"""What a client calls a field that Gemini can't be told of, so that the complaint is in the client's own words."""

from collections.abc import Mapping

from providers.dialects.canonical import Dialect

_NAMES: Mapping[Dialect, Mapping[str, str]] = {
    Dialect.OPENAI: {"reasoning": "reasoning_effort"},
    Dialect.RESPONSES: {"response_format": "text.format"},
    Dialect.ANTHROPIC: {
        "reasoning": "thinking",
        "stop": "stop_sequences",
        "response_format": "output_config",
        "user": "metadata.user_id",
    },
    Dialect.CONVERSE: {
        "stop": "inferenceConfig.stopSequences",
        "temperature": "inferenceConfig.temperature",
        "top_p": "inferenceConfig.topP",
        "tools": "toolConfig",
    },
    Dialect.GEMINI: {
        "reasoning": "generationConfig.thinkingConfig",
        "response_format": "generationConfig.responseMimeType",
        "stop": "generationConfig.stopSequences",
        "temperature": "generationConfig.temperature",
        "top_p": "generationConfig.topP",
        "top_k": "generationConfig.topK",
        "seed": "generationConfig.seed",
        "n": "generationConfig.candidateCount",
        "logprobs": "generationConfig.responseLogprobs",
        "frequency_penalty": "generationConfig.frequencyPenalty",
        "presence_penalty": "generationConfig.presencePenalty",
    },
}


def spell(name: str, dialect: Dialect) -> str:
    """Return a field's name in the dialect that a request came in."""
    return _NAMES.get(dialect, {}).get(name, name)
