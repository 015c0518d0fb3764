"""The beginning of an attempt: a place at its provider, and a line in the journal before anything is sent."""

from collections.abc import Callable

from gateway.call import Attempt, Call
from gateway.plane import DataPlane
from kernel.errors import Unavailable, UpstreamBusy
from usage import admission
from usage.records import AttemptRecord


def require_journal(plane: DataPlane) -> None:
    """Raise Unavailable while usage can't be written down."""
    if not plane.journal.accepting:
        raise _unwritable()


async def begin(plane: DataPlane, call: Call, attempt: Attempt, record: Callable[[], AttemptRecord]) -> None:
    """Write an attempt down, so that no crash can lose it. Raises UpstreamBusy, Unavailable; then nothing has begun.

    `record` is what is true of it if the worker dies before it ends.
    """
    slug = attempt.target.connection.slug
    attempt.entered = call.snapshot.policy.providers.get(slug, ())
    if attempt.entered and not await admission.enter_provider(plane.counters, attempt.entered):
        raise UpstreamBusy(f"provider {slug} serves as many calls as it may", retry_after_s=1)
    call.attempts.append(attempt)
    try:
        attempt.slot = plane.journal.begin(record())
    except OSError as error:
        call.attempts.pop()
        admission.leave_provider(plane.counters, attempt.entered)
        raise _unwritable() from error


def _unwritable() -> Unavailable:
    return Unavailable("Usage can't be written down now; no call is served unmetered.", code="journal_full")
