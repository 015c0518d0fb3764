"""The one rounding rule, and conversions that never lose a digit."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import money


@given(st.integers(min_value=0, max_value=10**30))
def test_rounding_is_half_to_even(cost_attos: int) -> None:
    exact = Decimal(cost_attos).scaleb(-9).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    assert money.round_to_nanos(cost_attos) == int(exact)


@pytest.mark.parametrize(
    ("cost_attos", "nanos"),
    [(0, 0), (499_999_999, 0), (500_000_000, 0), (500_000_001, 1), (1_500_000_000, 2), (2_500_000_000, 2)],
)
def test_halves_go_to_the_even_neighbour(cost_attos: int, nanos: int) -> None:
    assert money.round_to_nanos(cost_attos) == nanos


def test_a_price_a_million_tokens_is_exact_a_token() -> None:
    assert money.usd_per_mtok_to_attos(Decimal("0.0375")) == 37_500_000_000
    assert money.usd_per_mtok_to_attos(Decimal("0.000000000001")) == 1


def test_a_price_with_too_many_decimals_is_refused() -> None:
    with pytest.raises(ValueError, match="eighteen"):
        money.usd_per_mtok_to_attos(Decimal("0.0000000000001"))


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_written_dollars_read_back_as_the_same_nanos(nanos: int) -> None:
    text = money.format_usd(nanos)
    assert "e" not in text.lower()
    assert money.usd_to_nanos(Decimal(text)) == nanos
    assert money.nanos_to_usd(nanos) == Decimal(text)
