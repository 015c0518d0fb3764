"""Money is an integer of nano-dollars (1e-9 USD); this module owns the one rounding rule.

A rate is an integer of atto-dollars (1e-18 USD) per unit, so that any price with up to twelve decimals per
million tokens is exact. Units times rate is summed exactly and rounded once, at the end of an attempt.
"""

from decimal import ROUND_HALF_EVEN, Decimal

NANOS_PER_USD = 1_000_000_000
ATTOS_PER_NANO = 1_000_000_000
ATTOS_PER_USD = NANOS_PER_USD * ATTOS_PER_NANO
TOKENS_PER_MTOK = 1_000_000


def round_to_nanos(cost_attos: int) -> int:
    """Round an exact, non-negative sum in atto-dollars to nano-dollars, half to even."""
    nanos, rest = divmod(cost_attos, ATTOS_PER_NANO)
    twice = rest * 2
    if twice > ATTOS_PER_NANO or (twice == ATTOS_PER_NANO and nanos % 2):
        return nanos + 1
    return nanos


def usd_to_attos(usd: Decimal) -> int:
    """Turn dollars a unit into atto-dollars a unit.

    Raises ValueError where the amount has more than eighteen decimals: a price is never silently rounded.
    """
    attos = usd.scaleb(18)
    if attos != attos.to_integral_value():
        raise ValueError(f"{usd} USD has more than eighteen decimals")
    return int(attos)


def usd_per_mtok_to_attos(usd: Decimal) -> int:
    """Turn dollars a million tokens into atto-dollars a token."""
    return usd_to_attos(usd.scaleb(-6))


def usd_to_nanos(usd: Decimal) -> int:
    """Turn dollars into nano-dollars, half to even."""
    return int(usd.scaleb(9).to_integral_value(rounding=ROUND_HALF_EVEN))


def nanos_to_usd(nanos: int) -> Decimal:
    """Turn nano-dollars into exact dollars."""
    return Decimal(nanos).scaleb(-9)


def format_usd(nanos: int) -> str:
    """Write nano-dollars as plain decimal dollars without an exponent: 1500 -> '0.0000015'."""
    if nanos < 0:
        return f"-{format_usd(-nanos)}"
    whole, fraction = divmod(nanos, NANOS_PER_USD)
    return f"{whole}.{fraction:09d}".rstrip("0").rstrip(".")
