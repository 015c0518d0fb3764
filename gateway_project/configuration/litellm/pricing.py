"""LiteLLM's custom prices of one entry as a price of ours: dollars a token become dollars a million tokens."""

import re
from decimal import Decimal
from typing import Any

from gateway_project.configuration.document import Mapping
from gateway_project.configuration.litellm.values import Path, Translation

_PER_TOKEN = {
    "input_cost_per_token": "input_per_mtok",
    "output_cost_per_token": "output_per_mtok",
    "cache_read_input_token_cost": "cached_input_per_mtok",
    "cache_creation_input_token_cost": "cache_write_per_mtok",
    "output_cost_per_reasoning_token": "reasoning_per_mtok",
    "input_cost_per_audio_token": "audio_input_per_mtok",
    "output_cost_per_audio_token": "audio_output_per_mtok",
}
_PER_UNIT = {
    "output_cost_per_image": "per_image",
    "input_cost_per_request": "per_request",
    "input_cost_per_query": "per_search",
    "input_cost_per_character": "per_mcharacter",
    "input_cost_per_second": "per_audio_minute",
}
_FACTORS = {**dict.fromkeys(_PER_TOKEN.values(), 1_000_000), "per_mcharacter": 1_000_000, "per_audio_minute": 60}
_TIER = re.compile(rf"({'|'.join(_PER_TOKEN)})_above_([0-9]{{1,6}})k_tokens")


def read_rates(translation: Translation, section: Mapping, path: Path) -> dict[str, Any]:
    """Return the rates a mapping states, as the fields of a price, and note its keys as mapped."""
    rates: dict[str, Any] = {}
    tiers: dict[int, dict[str, Any]] = {}
    for entry in section.entries:
        field, above = _field_of(entry.key)
        value = translation.number(entry.node) if field else None
        if field is None or value is None:
            continue
        rate = value * _FACTORS.get(field, 1)
        translation.mapped(
            (*path, entry.key),
            f"price of the model wherever it is used: {field}" + (f" above {above} tokens" if above else ""),
        )
        if above:
            tiers.setdefault(above, {"above_input_tokens": above})[field] = _spell(rate)
        else:
            rates[field] = rate
    if tiers:
        rates["tiers"] = [tiers[above] for above in sorted(tiers)]
    return rates


def _field_of(key: str) -> tuple[str | None, int]:
    tier = _TIER.fullmatch(key)
    if tier:
        return _PER_TOKEN[tier.group(1)], int(tier.group(2)) * 1000
    return _PER_TOKEN.get(key) or _PER_UNIT.get(key), 0


def _spell(rate: Decimal) -> str:
    return f"{rate.normalize():f}"
