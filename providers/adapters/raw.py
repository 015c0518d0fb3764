"""A request for a provider that the gateway does not understand: any method, path and query under the provider's root.

The adapter adds what only it knows: where the provider is, and who is asking.
"""

import re

import msgspec

from providers.adapters.http import Headers

_VERSION_AT_END = re.compile(rb"/v\d+[a-z0-9]*\Z")


class RawRequest(msgspec.Struct, frozen=True):
    """What a client asks for. `path` begins with a slash and is, like `query`, as it came: percent signs and all."""

    method: str
    path: bytes
    query: bytes = b""

    def under(self, prefix: bytes) -> bytes:
        """Return the path and query under a provider's prefix; a version that both name stands there once."""
        version = _VERSION_AT_END.search(prefix)
        path = self.path
        if version is not None and (path + b"/").startswith(version[0] + b"/"):
            path = path[len(version[0]) :]
        return prefix + path + (b"?" + self.query if self.query else b"")


def layer_headers(*layers: Headers) -> Headers:
    """Return the headers of all layers; a name that an earlier layer has is left out of the later ones."""
    joined: list[tuple[bytes, bytes]] = []
    known: set[bytes] = set()
    for layer in layers:
        joined += [header for header in layer if header[0] not in known]
        known.update(name for name, _ in layer)
    return tuple(joined)
