"""Price lists in files: both forms, and a complaint that names the model and the key."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from providers.catalogs.file import read_price_file
from providers.catalogs.listed import PriceListBroken

PLAIN = """{
  "version": "1.0", "last_updated": "2025-10-31",
  "providers": {
    "openai": {"gpt-4o": {"input_per_1k_tokens": 0.005, "output_per_1k_tokens": 0.015,
                          "cached_input_per_1k_tokens": 0.00000000125, "per_image": 0.04}},
    "vertex_ai": {"gemini-2.0-flash": {"input_per_1k_tokens": 0.00025, "output_per_1k_tokens": 0}}
  }
}"""


def write(directory: Path, content: Any) -> Path:
    path = directory / "price-catalog.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_plain_form_is_read_exactly(tmp_path: Path) -> None:
    found = read_price_file(write(tmp_path, PLAIN))
    assert (found.source, found.version, found.last_updated) == ("file:price-catalog.json", "1.0", date(2025, 10, 31))
    assert {(price.vendor, price.model): price.usd for price in found.prices} == {
        ("openai", "gpt-4o"): {
            "input_per_mtok": Decimal(5),
            "output_per_mtok": Decimal(15),
            "cached_input_per_mtok": Decimal("0.00000125"),
            "per_image": Decimal("0.04"),
        },
        ("google", "gemini-2.0-flash"): {"input_per_mtok": Decimal("0.25"), "output_per_mtok": Decimal(0)},
    }


def test_litellms_form_is_recognised(tmp_path: Path) -> None:
    found = read_price_file(
        write(tmp_path, '{"gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 2.5e-06}}')
    )
    assert [(price.vendor, price.model, price.usd) for price in found.prices] == [
        ("openai", "gpt-4o", {"input_per_mtok": Decimal("2.5")})
    ]


def listing(rates: Any) -> dict[str, Any]:
    return {"providers": {"openai": {"gpt-4o": rates}}}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "not JSON"),
        ("[]", "neither a list"),
        ({"gpt-4o": {"input": 1}}, "neither a list"),
        ({"providers": {"openai": 5}}, "openai: a provider is an object"),
        (listing({}), "openai/gpt-4o: a model is an object of prices"),
        (listing({"input_per_1k_tokens": "0.1"}), "openai/gpt-4o: input_per_1k_tokens: '0.1' is no number"),
        (listing({"per_image": True}), "openai/gpt-4o: per_image: True is no number"),
        (listing({"per_image": None}), "openai/gpt-4o: per_image: None is no number"),
        (listing({"per_image": -1}), "openai/gpt-4o: per_image: -1 is no price"),
        (listing({"input_per_1k": 1}), "openai/gpt-4o: input_per_1k: no such price"),
        ('{"providers": {"openai": {"m": {"per_image": NaN}}}}', "NaN is no number"),
        ('{"providers": {"openai": {"m": {"per_image": 0.00000000000001}}}}', "openai/m: per_image: .* more digits"),
        ('{"providers": {"openai": {"m": {}, "m": {}}}}', "'m' stands twice"),
        ({"last_updated": "soon", "providers": {}}, "last_updated: 'soon' is no date"),
        (
            {"providers": {"gemini": {"m": {"per_image": 1}}, "vertex_ai": {"m": {"per_image": 2}}}},
            "vertex_ai/m: google has that model already",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, content: Any, complaint: str) -> None:
    with pytest.raises(PriceListBroken, match=complaint):
        read_price_file(write(tmp_path, content))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PriceListBroken, match="No such file"):
        read_price_file(tmp_path / "gone.json")
