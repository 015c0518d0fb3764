"""One row a vendor: everything that distinguishes it from the next one that speaks the same dialect.

A new OpenAI-compatible vendor is one more row here; vendors with a dialect or a way of signing in of their own stand in
`providers.own_presets`. Base URLs are the vendors' documented API roots (November 2026).
"""

from collections.abc import Mapping
from types import MappingProxyType

from providers.dialects.canonical import Dialect, Operation
from providers.own_presets import OWN_ROWS
from providers.preset import (
    IMAGES,
    LISTENING,
    OLDER_CAP,
    OPENAI_AND_RESPONSES,
    OPENAI_EVERYTHING,
    RESPONSES_ONLY,
    SOUND,
    Preset,
    speaking_openai,
)

__all__ = ["PRESETS", "Preset", "preset_of"]

_OPENAI_HAS = {
    **speaking_openai(*IMAGES, *SOUND, Operation.MODERATION, basics=OPENAI_AND_RESPONSES),
    Operation.TOKEN_COUNT: (Dialect.RESPONSES,),
    Operation.COMPACTION: (Dialect.RESPONSES,),
}
# Models that its own pages list for /v1/responses and not for /v1/chat/completions (November 2026).
_WITHOUT_CHAT = ("*-codex*", "codex-*", "*-deep-research*", "o1-pro*", "o3-pro*", "gpt-*-pro*", "computer-use-*")

_ROWS = (
    Preset(
        name="openai",
        title="OpenAI",
        base_url="https://api.openai.com/v1",
        credential_env="OPENAI_API_KEY",
        price_vendor="openai",
        litellm_prefix="openai",
        usual_models=(
            "gpt-5.1",
            "gpt-5-mini",
            "gpt-5-nano",
            "gpt-4.1",
            "gpt-4o",
            "gpt-4o-mini",
            "text-embedding-3-small",
        ),
        # The table of its own library, tiktoken 0.14; a model that is newer than that is taken to count as the newest.
        tokenizers=(
            ("gpt-4o-mini", "o200k_base_dear_pictures"),
            ("gpt-4o", "o200k_base"),
            ("gpt-4.", "o200k_base"),
            ("gpt-4", "cl100k_base"),
            ("gpt-3.5", "cl100k_base"),
            ("text-embedding-", "cl100k_base"),
            ("davinci-002", "cl100k_base"),
            ("babbage-002", "cl100k_base"),
            ("", "o200k_base"),
        ),
        cap_fields=("max_completion_tokens", "max_tokens"),
        speaks=_OPENAI_HAS,
        speaks_by_model=tuple((pattern, RESPONSES_ONLY) for pattern in _WITHOUT_CHAT),
    ),
    Preset(
        name="openrouter",
        title="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        credential_env="OPENROUTER_API_KEY",
        price_vendor="openrouter",
        litellm_prefix="openrouter",
        usual_models=("openrouter/auto", "anthropic/claude-sonnet-4.5", "google/gemini-2.5-flash"),
        speaks=OPENAI_AND_RESPONSES,
    ),
    Preset(
        name="groq",
        title="Groq",
        base_url="https://api.groq.com/openai/v1",
        credential_env="GROQ_API_KEY",
        price_vendor="groq",
        litellm_prefix="groq",
        usual_models=("llama-3.3-70b-versatile", "llama-3.1-8b-instant"),
        speaks=speaking_openai(*SOUND),
    ),
    Preset(
        name="mistral",
        title="Mistral",
        base_url="https://api.mistral.ai/v1",
        credential_env="MISTRAL_API_KEY",
        price_vendor="mistral",
        litellm_prefix="mistral",
        usual_models=("mistral-large-latest", "mistral-small-latest", "mistral-embed"),
        accepts_stream_options=False,
        cap_fields=OLDER_CAP,
        spelling="mistral",
        speaks=speaking_openai(Operation.MODERATION, Operation.TRANSCRIPTION),
    ),
    Preset(
        name="deepseek",
        title="DeepSeek",
        base_url="https://api.deepseek.com/v1",
        credential_env="DEEPSEEK_API_KEY",
        price_vendor="deepseek",
        litellm_prefix="deepseek",
        usual_models=("deepseek-chat", "deepseek-reasoner"),
        cap_fields=OLDER_CAP,
    ),
    Preset(
        name="together",
        title="Together AI",
        base_url="https://api.together.xyz/v1",
        credential_env="TOGETHER_API_KEY",
        price_vendor="together",
        litellm_prefix="together_ai",
        usual_models=("meta-llama/Llama-3.3-70B-Instruct-Turbo",),
        cap_fields=OLDER_CAP,
        speaks=speaking_openai(Operation.IMAGE, *SOUND, Operation.RERANK),
    ),
    Preset(
        name="fireworks",
        title="Fireworks AI",
        base_url="https://api.fireworks.ai/inference/v1",
        credential_env="FIREWORKS_API_KEY",
        price_vendor="fireworks",
        litellm_prefix="fireworks_ai",
    ),
    Preset(
        name="xai",
        title="xAI",
        base_url="https://api.x.ai/v1",
        credential_env="XAI_API_KEY",
        price_vendor="x-ai",
        litellm_prefix="xai",
        usual_models=("grok-4",),
        speaks=speaking_openai(*IMAGES),
    ),
    Preset(
        name="perplexity",
        title="Perplexity",
        base_url="https://api.perplexity.ai",
        credential_env="PERPLEXITYAI_API_KEY",
        price_vendor="perplexity",
        litellm_prefix="perplexity",
        cap_fields=OLDER_CAP,
    ),
    Preset(
        name="ollama",
        title="Ollama",
        base_url="http://127.0.0.1:11434/v1",
        price_vendor="ollama",
        litellm_prefix="ollama_chat",
        cap_fields=OLDER_CAP,
    ),
    Preset(
        name="jina",
        title="Jina AI",
        base_url="https://api.jina.ai/v1",
        credential_env="JINA_API_KEY",
        price_vendor="jina_ai",
        litellm_prefix="jina_ai",
        usual_models=("jina-embeddings-v4", "jina-reranker-v3"),
        speaks=MappingProxyType({Operation.EMBEDDING: (Dialect.OPENAI,), Operation.RERANK: (Dialect.COHERE,)}),
    ),
    Preset(
        name="vllm",
        title="vLLM",
        base_url="http://127.0.0.1:8001/v1",
        price_vendor="vllm",
        litellm_prefix="hosted_vllm",
        speaks=speaking_openai(*LISTENING, Operation.RERANK),
    ),
    Preset(
        name="openai_compatible",
        title="Any OpenAI-compatible server",
        price_vendor="openai_compatible",
        litellm_prefix="openai_like",
        speaks=OPENAI_EVERYTHING,
    ),
    Preset(
        name="mock",
        adapter="mock",
        title="Mock (built in)",
        price_vendor="mock",
        usual_models=("mock-small", "mock-large", "mock-embedding"),
        tokenizers=(("", "quarter_bytes"),),
        speaks=OPENAI_EVERYTHING,
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in (*_ROWS, *OWN_ROWS)})


def preset_of(kind: str) -> Preset:
    """Return the preset of a provider's kind. Raises KeyError where there is none."""
    return PRESETS[kind]
