"""Which adapters there are. A new one is a file beside this and a line here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from providers.adapters.base import Adapter
from providers.adapters.http import HttpClient
from providers.adapters.mock import MockAdapter
from providers.adapters.openai_compatible import OpenAICompatibleAdapter

ADAPTERS: Mapping[str, Callable[[HttpClient], Adapter]] = MappingProxyType(
    {
        "openai_compatible": OpenAICompatibleAdapter,
        "mock": MockAdapter,
    }
)


def build_adapters(client: HttpClient) -> Mapping[str, Adapter]:
    """Return every adapter, ready to send over one client."""
    return MappingProxyType({name: build(client) for name, build in ADAPTERS.items()})
