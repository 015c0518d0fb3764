"""Which adapters there are. A new one is a file beside this and a line here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from providers.adapters.anthropic import AnthropicAdapter
from providers.adapters.azure import AzureAdapter
from providers.adapters.base import Adapter
from providers.adapters.bedrock import BedrockAdapter
from providers.adapters.cohere import CohereAdapter
from providers.adapters.gemini import GeminiAdapter
from providers.adapters.http import HttpClient
from providers.adapters.huggingface import HuggingFaceAdapter
from providers.adapters.mock import MockAdapter
from providers.adapters.openai_compatible import OpenAICompatibleAdapter
from providers.adapters.vertex import VertexAdapter

ADAPTERS: Mapping[str, Callable[[HttpClient], Adapter]] = MappingProxyType(
    {
        "openai_compatible": OpenAICompatibleAdapter,
        "anthropic": AnthropicAdapter,
        "azure": AzureAdapter,
        "bedrock": BedrockAdapter,
        "cohere": CohereAdapter,
        "gemini": GeminiAdapter,
        "huggingface": HuggingFaceAdapter,
        "vertex": VertexAdapter,
        "mock": MockAdapter,
    }
)


def build_adapters(client: HttpClient) -> Mapping[str, Adapter]:
    """Return every adapter, ready to send over one client."""
    return MappingProxyType({name: build(client) for name, build in ADAPTERS.items()})
