"""How a caller reads in an answer's head what is left of limits and budgets, in the words of its vendor.

The facts are `usage.admission.Standing`. Budgets have no words with any vendor, so theirs are the gateway's own.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from gateway.messages import Headers
from kernel.errors import BudgetExceeded
from kernel.money import format_usd
from usage.admission import Refusal, Standing, format_span

_RATES = {
    "requests": (b"x-ratelimit-limit-requests", b"x-ratelimit-remaining-requests", b"x-ratelimit-reset-requests"),
    "tokens": (b"x-ratelimit-limit-tokens", b"x-ratelimit-remaining-tokens", b"x-ratelimit-reset-tokens"),
}


def openai_headers(standings: Iterable[Standing], now_s: float) -> Headers:
    """Return limit, rest and time to the full reset, of requests and tokens, and the money that is left.

    Resets are written as spans like `6m0s`, not as instants (OpenAI's guide "Rate limits").
    """
    headers: Headers = []
    for standing in standings:
        names = _RATES.get(standing.kind)
        if names is None:
            headers.append(_money(standing))
        else:
            limit, left, reset = names
            span = format_span(standing.resets_in_s or 0.0).encode()
            headers += ((limit, b"%d" % standing.limit), (left, b"%d" % standing.left), (reset, span))
    return headers


def anthropic_headers(standings: Iterable[Standing], now_s: float) -> Headers:
    """Return the same in Anthropic's words, whose resets are instants (its documentation, "Rate limits")."""
    headers: Headers = []
    for standing in standings:
        if standing.kind not in _RATES:
            headers.append(_money(standing))
            continue
        prefix = b"anthropic-ratelimit-" + standing.kind.encode()
        resets_at = datetime.fromtimestamp(round(now_s + (standing.resets_in_s or 0.0)), UTC)
        headers += (
            (prefix + b"-limit", b"%d" % standing.limit),
            (prefix + b"-remaining", b"%d" % standing.left),
            (prefix + b"-reset", resets_at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()),
        )
    return headers


def refusal_headers(refusal: Refusal) -> Headers:
    """Return what the answer to a refused call tells besides: which budget it was, and that trying again is no use."""
    headers: Headers = []
    if isinstance(refusal.error, BudgetExceeded):
        headers.append((b"x-gateway-budget", _written(refusal.rule)))
    if not refusal.error.retryable:
        headers.append((b"x-should-retry", b"false"))
    return headers


def _money(standing: Standing) -> tuple[bytes, bytes]:
    if standing.kind == "warning":
        return b"x-gateway-budget-warning", _written(standing.rule)
    return b"x-gateway-budget-remaining-usd", format_usd(standing.left).encode()


def _written(name: str) -> bytes:
    return name.encode("ascii", "replace")
