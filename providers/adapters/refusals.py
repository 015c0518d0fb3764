"""What a provider's error answer means to the caller: whose fault it is, and whether another try may help.

The words are read by the dialect; the meaning of a status is the same for all of them.
"""

from email.utils import parsedate_to_datetime
from math import isfinite

from kernel import clock
from kernel.errors import UpstreamRefused
from providers.adapters.base import Exchange, UpstreamAnswer
from providers.dialects.codec import ErrorReport
from providers.dialects.table import reader_of_errors

RETRYABLE_STATUSES = frozenset({408, 425, 429})
# The operator's account, not the caller's: none of the caller's keys or bills is meant.
_OPERATORS_CODES = frozenset({"invalid_api_key", "permission_denied", "upstream_authentication_failed"})
_SPENT = "insufficient_quota"  # this account is; another target's may not be


def explain_refusal(exchange: Exchange, answer: UpstreamAnswer, body: bytes) -> UpstreamRefused:
    """Return the error for an answer with an error status."""
    status = answer.status
    reader = reader_of_errors(exchange.dialect, exchange.operation)
    report = reader.read_error(status, answer.header, body)
    if report is None:
        report = ErrorReport(f"the provider answered with status {status}", "")
    if status in (401, 403) or report.code in _OPERATORS_CODES:
        return refused_credential()
    retryable = report.retryable
    if retryable is None:
        retryable = report.code == _SPENT or status in RETRYABLE_STATUSES or status >= 500
    wait_s = read_retry_after(answer)
    return UpstreamRefused(
        report.message,
        status=status if status >= 400 else 502,
        code=report.code or ("upstream_overloaded" if retryable else "upstream_refused"),
        retryable=retryable,
        body=body if report.own_envelope else None,
        retry_after_s=report.retry_after_s if wait_s is None else wait_s,
    )


def refused_credential(why: str = "the provider refused the gateway's credential") -> UpstreamRefused:
    """Return the error for a credential of the operator's that is of no use; it must not read as if the caller's were.

    Another target may have a better one.
    """
    return UpstreamRefused(why, status=502, code="upstream_authentication_failed", retryable=True)


def read_retry_after(answer: UpstreamAnswer) -> float | None:
    """Return the seconds a provider asks to wait (`retry-after-ms`, or `retry-after` in seconds or as a date)."""
    milliseconds = _read_number(answer.header(b"retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    seconds = _read_number(answer.header(b"retry-after"))
    if seconds is not None:
        return seconds
    value = (answer.header(b"retry-after") or b"").decode("latin-1").strip()
    try:
        return max(0.0, (parsedate_to_datetime(value) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _read_number(value: bytes | None) -> float | None:
    try:
        number = float(value or b"")
    except ValueError:
        return None
    return max(0.0, number) if isfinite(number) else None
