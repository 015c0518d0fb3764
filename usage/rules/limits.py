"""How much of a limit is in use now, as far as the counters can say."""

from collections.abc import Iterable

from usage.counters.readings import read_sums
from usage.models import Limit
from usage.policy import ProviderLimit
from usage.rules.rows import to_limit_rule
from usage.rules.subjects import sole_subject
from usage.windows import HELD, Window


def read_uses(limits: Iterable[Limit]) -> dict[int, int]:
    """Return what limits have counted, by their numbers.

    A limit that tells callers apart has a counter for each, and no list of them: it is left out, and so is every
    limit while the counters can't be asked.
    """
    counters = {limit.pk: counter for limit in limits if (counter := sole_counter(limit)) is not None}
    sums = read_sums(counters.values())
    return {number: used for number, used in zip(counters, sums, strict=True) if used is not None}


def sole_counter(limit: Limit) -> tuple[str, Window] | None:
    """Return the name and the window of a limit's counter where it can only have one."""
    if limit.provider is not None:
        return ProviderLimit(limit.pk, limit.name, limit.provider.slug, limit.value).counter, HELD
    subject = sole_subject(limit)
    return None if subject is None else (f"l{limit.pk}.{subject}", to_limit_rule(limit).window)


def describe_value(limit: Limit) -> str:
    """Say what a limit allows: `60 requests a minute`, `4 calls at once to the provider`."""
    span = f" a {limit.span}" if limit.span else ""
    return f"{limit.value:,} {limit.get_measure_display().lower()}{span}"
