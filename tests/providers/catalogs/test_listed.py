"""The checks that keep a list's numbers exact."""

from decimal import Decimal

import pytest

from providers.catalogs.listed import PriceListBroken, check_names, check_usd, fit_usd, write_tier


@pytest.mark.parametrize("amount", ["0", "2.5", "0.000000000001", "123.456789012345", "999999999999"])
def test_what_fits_is_kept(amount: str) -> None:
    assert check_usd(Decimal(amount), where="m") == Decimal(amount)


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "0.0000000000001", "1234.567890123456"])
def test_what_does_not_fit_is_refused_with_its_place(amount: str) -> None:
    with pytest.raises(PriceListBroken, match="v/m: key"):
        check_usd(Decimal(amount), where="v/m: key")


def test_noise_is_rounded_and_noted() -> None:
    notes: list[str] = []
    assert fit_usd(Decimal("0.18000000000000002"), where="v/m: key", notes=notes) == Decimal("0.18")
    assert notes == ["v/m: key: 0.18000000000000002 is rounded to 0.18, the digits a price may have"]


def test_names_fit_their_columns() -> None:
    for vendor, model in (("", "m"), ("v", ""), ("v" * 65, "m"), ("v", "m" * 201)):
        with pytest.raises(PriceListBroken):
            check_names(vendor, model)


def test_a_tier_is_written_without_exponents() -> None:
    tier = write_tier(5, {"input_per_mtok": check_usd(Decimal("1E+1"), where="")})
    assert tier == {"above_input_tokens": 5, "input_per_mtok": "10"}
