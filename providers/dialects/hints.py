"""Which fields of a request can be left out without changing its answer.

A request that is written in another dialect loses the fields that only its own dialect has. Most of them would have
changed the answer, and the route decides whether the call goes on without them. The others only speak to a vendor's
cache, books or scheduler; the client is told and nothing more.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from providers.dialects.canonical import Dialect

_OPENAI = (
    *("user", "metadata", "store", "service_tier", "stream_options", "prediction", "verbosity"),
    *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "max_cost_usd"),
)
_RESPONSES = ("include",)
_ANTHROPIC = ("cache_control", "speed")
_GEMINI = ("labels", "serviceTier")
_CONVERSE = ("requestMetadata", "performanceConfig")
_GATEWAYS = ("provider", "usage", "session_id", "trace", "route", "caching", "num_retries")  # OpenRouter's, LiteLLM's

HINTS = frozenset((*_OPENAI, *_RESPONSES, *_ANTHROPIC, *_GEMINI, *_CONVERSE, *_GATEWAYS))

_NOTHING: tuple[Any, ...] = (None, [], {})
_DEFAULTS: Mapping[str, Any] = {
    "modalities": ["text"],
    "background": False,
    "truncation": "disabled",
    "echo": False,
    "best_of": 1,
    "suffix": "",
}


class _Asks(Protocol):
    """The part of a hub's request that is looked at."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def extras(self) -> Mapping[str, msgspec.Raw]: ...


def sort_extras(request: _Asks, own: Dialect) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the extras that `own` has no place for: those that matter, and those that don't.

    Both are empty for a request that came in `own` dialect, whose extras are written back. A field without a value, or
    with what stands there by default, is not named.
    """
    if not request.extras or request.dialect is own:
        return (), ()
    said = names_said(request.extras)
    return tuple(name for name in said if name not in HINTS), tuple(name for name in said if name in HINTS)


def names_said(extras: Mapping[str, msgspec.Raw]) -> tuple[str, ...]:
    """Return the names of the fields that say something: neither nothing, nor what stands there by default."""
    return tuple(name for name, raw in extras.items() if _says_something(name, raw))


def _says_something(name: str, raw: msgspec.Raw) -> bool:
    value = msgspec.json.decode(raw)
    return value not in _NOTHING and (name not in _DEFAULTS or value != _DEFAULTS[name])
