"""A provider as the data plane knows it: frozen, credential opened, URL taken apart."""

from dataclasses import dataclass, field
from typing import TypeAlias

from providers.adapters.http import Origin, Timeouts
from providers.presets import Preset

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a provider is and how to speak to it. Its repr shows no credential."""

    slug: str
    preset: Preset
    origin: Origin
    path_prefix: bytes
    credential: str = field(repr=False)
    extra_headers: Headers = field(repr=False)
    timeouts: Timeouts
