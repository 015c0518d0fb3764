"""A provider as the data plane knows it: frozen, credential opened, URL taken apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from providers.adapters.http import Origin, Timeouts
from providers.preset import Preset

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a provider is and how to speak to it. Its repr shows no credential.

    Without `has_address` nobody said where it is, and `origin` means nothing: the adapter works it out of the options.
    """

    slug: str
    preset: Preset
    origin: Origin
    path_prefix: bytes
    credential: str = field(repr=False)
    extra_headers: Headers = field(repr=False)
    timeouts: Timeouts
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    has_address: bool = True

    @property
    def auth(self) -> str:
        """Return the name of its authenticator."""
        return self.options.get("auth") or self.preset.auth
