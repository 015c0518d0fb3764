"""One row a vendor: everything that distinguishes it from the next one that speaks the same dialect.

A new OpenAI-compatible vendor is one more row here. Base URLs are the vendors' documented API roots (November 2026).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from providers.dialects.canonical import Operation

_OLDER = ("max_tokens",)
_EITHER = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class Preset:
    """What is usual for one vendor.

    `credential_env` is the variable its own tools read; where it is set, `make run` offers `usual_models`.
    `price_vendor` is the vendor's name in price lists. `accepts_stream_options` tells whether it understands
    `stream_options.include_usage`; where not, it is left out and usage is taken if it comes unasked.
    `tokenizers` says how it counts (`providers.tokens.TOKENIZERS`), by the beginning of the model's name, first fit
    first; none where that is unknown. `cap_fields` are the chat fields it knows for the longest answer; the first of
    them is written where a cap is ours to write.
    """

    name: str
    adapter: str = "openai_compatible"
    title: str = ""
    base_url: str = ""
    credential_env: str = ""
    price_vendor: str = ""
    litellm_prefix: str | None = None
    usual_models: tuple[str, ...] = ()
    accepts_stream_options: bool = True
    tokenizers: tuple[tuple[str, str], ...] = ()
    cap_fields: tuple[str, ...] = _EITHER

    def tokenizer_of(self, model: str) -> str:
        """Return the name of a model's tokenizer, "" where it is unknown."""
        model = model.removeprefix("ft:")
        return next((name for beginning, name in self.tokenizers if model.startswith(beginning)), "")

    def cap_fields_of(self, operation: Operation) -> tuple[str, ...]:
        """Return the fields that bound an answer's length; plain completions know only the older one everywhere."""
        return _OLDER if operation is Operation.COMPLETION else self.cap_fields


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
    ),
    Preset(
        name="openrouter",
        title="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        credential_env="OPENROUTER_API_KEY",
        price_vendor="openrouter",
        litellm_prefix="openrouter",
        usual_models=("openrouter/auto", "anthropic/claude-sonnet-4.5", "google/gemini-2.5-flash"),
    ),
    Preset(
        name="groq",
        title="Groq",
        base_url="https://api.groq.com/openai/v1",
        credential_env="GROQ_API_KEY",
        price_vendor="groq",
        litellm_prefix="groq",
        usual_models=("llama-3.3-70b-versatile", "llama-3.1-8b-instant"),
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
        cap_fields=_OLDER,
    ),
    Preset(
        name="deepseek",
        title="DeepSeek",
        base_url="https://api.deepseek.com/v1",
        credential_env="DEEPSEEK_API_KEY",
        price_vendor="deepseek",
        litellm_prefix="deepseek",
        usual_models=("deepseek-chat", "deepseek-reasoner"),
        cap_fields=_OLDER,
    ),
    Preset(
        name="together",
        title="Together AI",
        base_url="https://api.together.xyz/v1",
        credential_env="TOGETHER_API_KEY",
        price_vendor="together",
        litellm_prefix="together_ai",
        usual_models=("meta-llama/Llama-3.3-70B-Instruct-Turbo",),
        cap_fields=_OLDER,
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
    ),
    Preset(
        name="perplexity",
        title="Perplexity",
        base_url="https://api.perplexity.ai",
        credential_env="PERPLEXITYAI_API_KEY",
        price_vendor="perplexity",
        litellm_prefix="perplexity",
        cap_fields=_OLDER,
    ),
    Preset(
        name="ollama",
        title="Ollama",
        base_url="http://127.0.0.1:11434/v1",
        price_vendor="ollama",
        litellm_prefix="ollama_chat",
        cap_fields=_OLDER,
    ),
    Preset(
        name="vllm",
        title="vLLM",
        base_url="http://127.0.0.1:8001/v1",
        price_vendor="vllm",
        litellm_prefix="hosted_vllm",
    ),
    Preset(
        name="openai_compatible",
        title="Any OpenAI-compatible server",
        price_vendor="openai_compatible",
        litellm_prefix="openai_like",
    ),
    Preset(
        name="mock",
        adapter="mock",
        title="Mock (built in)",
        price_vendor="mock",
        usual_models=("mock-small", "mock-large", "mock-embedding"),
        tokenizers=(("", "quarter_bytes"),),
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _ROWS})


def preset_of(kind: str) -> Preset:
    """Return the preset of a provider's kind. Raises KeyError where there is none."""
    return PRESETS[kind]
