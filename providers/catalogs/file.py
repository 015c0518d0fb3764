"""Price lists in files: which of the two forms a file has, and the plain one, JSON with dollars a thousand tokens.

    {"version": "1.0", "last_updated": "2025-10-31",
     "providers": {"openai": {"gpt-4o": {"input_per_1k_tokens": 0.005, "output_per_1k_tokens": 0.015}}}}

Numbers are read as decimals, never as floats: what the file says is what a call costs.
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from providers.catalogs.listed import ListedPrice, PriceList, PriceListBroken, Usd, check_names, check_usd
from providers.catalogs.litellm import is_litellm, read_litellm_list
from providers.catalogs.vendors import vendor_of

_PER_1K_FIELDS = {
    "input_per_1k_tokens": "input_per_mtok",
    "output_per_1k_tokens": "output_per_mtok",
    "cached_input_per_1k_tokens": "cached_input_per_mtok",
    "cache_write_per_1k_tokens": "cache_write_per_mtok",
    "reasoning_per_1k_tokens": "reasoning_per_mtok",
    "audio_input_per_1k_tokens": "audio_input_per_mtok",
    "audio_output_per_1k_tokens": "audio_output_per_mtok",
}
_EACH_FIELDS = ("per_image", "per_request")


def read_price_file(path: Path) -> PriceList:
    """Return the list in a file, whichever form it has. Raises PriceListBroken."""
    source = f"file:{path.name}"[:64]
    try:
        document = json.loads(
            path.read_bytes(), parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_without_twins
        )
    except OSError as error:
        raise PriceListBroken(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise PriceListBroken(f"{path}: not JSON: {error}") from error
    if isinstance(document, dict) and isinstance(document.get("providers"), dict):
        return _read_plain(document, source)
    if is_litellm(document):
        return read_litellm_list(document, source)
    raise PriceListBroken(f"{path}: neither a list with `providers` nor a LiteLLM price map")


def _read_plain(document: Mapping[str, Any], source: str) -> PriceList:
    prices: dict[tuple[str, str], ListedPrice] = {}
    for name, models in document["providers"].items():
        if not isinstance(models, dict):
            raise PriceListBroken(f"{name}: a provider is an object of models")
        for model, rates in models.items():
            price = _read_model(name, model, rates)
            if (price.vendor, model) in prices:
                raise PriceListBroken(f"{name}/{model}: {price.vendor} has that model already")
            prices[price.vendor, model] = price
    return PriceList(
        source=source,
        version=str(document.get("version", ""))[:64],
        last_updated=_read_date(document.get("last_updated")),
        prices=tuple(prices.values()),
    )


def _read_model(name: str, model: str, rates: Any) -> ListedPrice:
    vendor = vendor_of(name)
    check_names(vendor, model)
    if not isinstance(rates, dict) or not rates:
        raise PriceListBroken(f"{name}/{model}: a model is an object of prices")
    return ListedPrice(vendor, model, {_field(key): _read_rate(key, v, f"{name}/{model}") for key, v in rates.items()})


def _field(key: str) -> str:
    return _PER_1K_FIELDS.get(key, key)


def _read_rate(key: str, value: Any, where: str) -> Usd:
    if key not in _PER_1K_FIELDS and key not in _EACH_FIELDS:
        raise PriceListBroken(f"{where}: {key}: no such price; there are {', '.join([*_PER_1K_FIELDS, *_EACH_FIELDS])}")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PriceListBroken(f"{where}: {key}: {value!r} is no number")
    amount = Decimal(value)
    return check_usd(amount * 1000 if key in _PER_1K_FIELDS else amount, where=f"{where}: {key}")


def _read_date(value: Any) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise PriceListBroken(f"last_updated: {value!r} is no date") from error


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if key in dict(pairs[:index]))
        raise ValueError(f"{twice!r} stands twice in one object")
    return found
