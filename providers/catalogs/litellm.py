"""LiteLLM's price map, `model_prices_and_context_window.json`: dollars a token, one flat object a model.

Source: the map as shipped in the litellm package, November 2026. Prices of other service tiers (batches, flex,
priority), of one-hour caches and of units that no usage reports (pixels, seconds of film or of a rented machine) are
not taken over. The same key means different things for different kinds of model: a price a second is one of sound for
transcription alone, one a character counts for speech, one an image read for the making of images.

Image tokens are not told apart from other output: the dearer of the two rates holds for all output, and a price an
image is then left out, because the tokens are the image.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from providers.catalogs.listed import ListedPrice, PriceList, PriceListBroken, Usd, check_names, fit_usd, write_tier
from providers.catalogs.vendors import vendor_of

_PER_TOKEN_FIELDS = {
    "input_cost_per_token": "input_per_mtok",
    "output_cost_per_token": "output_per_mtok",
    "output_cost_per_image_token": "output_per_mtok",
    "cache_read_input_token_cost": "cached_input_per_mtok",
    "cache_creation_input_token_cost": "cache_write_per_mtok",
    "output_cost_per_reasoning_token": "reasoning_per_mtok",
    "input_cost_per_audio_token": "audio_input_per_mtok",
    "output_cost_per_audio_token": "audio_output_per_mtok",
}
_EACH_FIELDS = {"output_cost_per_image": "per_image", "input_cost_per_request": "per_request"}
_FIELDS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {name: (field, 1_000_000) for name, field in _PER_TOKEN_FIELDS.items()}
    | {name: (field, 1) for name, field in _EACH_FIELDS.items()}
)
# What else is taken over of models of one mode: the field and what one such unit has of it.
_MODE_FIELDS: Mapping[str, Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "audio_transcription": {
            "input_cost_per_second": ("per_audio_minute", 60),
            "output_cost_per_second": ("per_audio_minute", 60),
        },
        "audio_speech": {"input_cost_per_character": ("per_mcharacter", 1_000_000)},
        "image_generation": {"input_cost_per_image": ("per_image", 1)},
        "rerank": {"input_cost_per_query": ("per_search", 1)},
    }
)
_TIERED_KEY = re.compile(r"(.+)_above_(\d+)k_tokens")
_SAMPLE = "sample_spec"


def is_litellm(document: Any) -> bool:
    """Tell whether a document has the form of LiteLLM's map."""
    return isinstance(document, dict) and any(
        isinstance(entry, dict) and "litellm_provider" in entry for entry in document.values()
    )


def read_litellm_list(document: Mapping[str, Any], source: str) -> PriceList:
    """Return the list; what it could not take over stands in the notes. Raises PriceListBroken."""
    prices: dict[tuple[str, str], ListedPrice] = {}
    notes: list[str] = []
    for key, entry in _ordered(document):
        price = _read_entry(key, entry, notes)
        if price is None:
            continue
        first = prices.setdefault((price.vendor, price.model), price)
        if (first.usd, first.tiers) != (price.usd, price.tiers):
            notes.append(f"{key}: left out, another entry gives {price.vendor}/{price.model} another price")
    return PriceList(source=source, prices=tuple(prices.values()), notes=tuple(notes))


def _ordered(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the entries; where a vendor sells a model in two places, its own API goes before its cloud."""
    entries = [(key, entry) for key, entry in document.items() if key != _SAMPLE]
    for key, entry in entries:
        if not isinstance(entry, dict):
            raise PriceListBroken(f"{key}: a model is an object")
    yield from sorted(entries, key=lambda item: str(item[1].get("litellm_provider")).startswith("vertex_ai"))


def _read_entry(key: str, entry: dict[str, Any], notes: list[str]) -> ListedPrice | None:
    name = entry.get("litellm_provider")
    if not isinstance(name, str):
        notes.append(f"{key}: no litellm_provider")
        return None
    usd, tiers = _read_rates(key, entry, notes)
    if not usd:
        notes.append(f"{key}: no price by a unit that usage reports")
        return None
    vendor, model = vendor_of(name), _without_prefix(key, name)
    check_names(vendor, model)
    return ListedPrice(vendor, model, usd, tiers)


def _without_prefix(key: str, provider: str) -> str:
    prefix, slash, rest = key.partition("/")
    return rest if slash and rest and prefix in {provider, provider.partition("-")[0]} else key


def _read_rates(key: str, entry: dict[str, Any], notes: list[str]) -> tuple[dict[str, Usd], list[dict[str, Any]]]:
    steps: dict[int, dict[str, Any]] = {0: entry}
    for step in entry.get("tiered_pricing") or ():
        if "range" in step:  # other tools have tiers by other things than the length of the prompt
            start = _start_of(key, step)
            steps[start] = {**steps.get(start, {}), **step}
    for name, value in entry.items():
        found = _TIERED_KEY.fullmatch(name)
        if found and found[1] in _PER_TOKEN_FIELDS:
            steps.setdefault(int(found[2]) * 1000, {})[found[1]] = value
    rates = {start: _read_step(key, step, notes) for start, step in sorted(steps.items())}
    usd = rates.pop(0)
    return usd, [write_tier(start, own) for start, own in rates.items() if own]


def _read_step(key: str, step: Mapping[str, Any], notes: list[str]) -> dict[str, Usd]:
    usd: dict[str, Usd] = {}
    for name, (field, times) in {**_FIELDS, **_MODE_FIELDS.get(str(step.get("mode")), {})}.items():
        value = step.get(name)
        if value is None or (field == "per_image" and "output_cost_per_image_token" in step):
            continue
        amount = _read_amount(f"{key}: {name}", value) * times
        fitting = fit_usd(amount, where=f"{key}: {name}", notes=notes)
        usd[field] = max(usd.get(field, fitting), fitting)
    return usd


def _read_amount(where: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PriceListBroken(f"{where}: {value!r} is no number")
    return Decimal(value)


def _start_of(key: str, step: Any) -> int:
    try:
        return int(step["range"][0])
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise PriceListBroken(f"{key}: tiered_pricing: {step!r} is no step with a range") from error
