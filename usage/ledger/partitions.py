"""Usage and ledger by month on PostgreSQL: new months are made ahead, old ones dropped whole where retention says so.

What retention drops stays in the sums: hours keep what was used, and balances remember what they hold of entries that
are gone (`carried`), so that the rest can still be proved. Elsewhere than on PostgreSQL old records are deleted bit by
bit, and the ledger, which refuses deletion, keeps its entries.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, models, transaction

from usage.ledger.balances import forget_carried
from usage.models import Denial, LedgerEntry, RetentionHorizon, UsageRecord

__all__ = ["Dropped", "drop_old", "ensure_partitions"]

MONTHS_AHEAD = 2
_MOMENTS: dict[type[models.Model], str] = {UsageRecord: "started_at", LedgerEntry: "at"}
_DELETED_AT_ONCE = 2_000
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'"  # a long query must not make every shipper and page wait behind us
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('usage_partitions'))"


@dataclass(frozen=True, slots=True)
class Dropped:
    """What retention took away: whole partitions by name, and rows where there are none."""

    partitions: tuple[str, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True, order=True)
class _Month:
    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime) -> "_Month":
        """Return the month of an instant, in UTC."""
        in_utc = moment.astimezone(UTC)
        return cls(in_utc.year, in_utc.month)

    def plus(self, months: int) -> "_Month":
        """Return the month so many later, or (negative) earlier."""
        year, index = divmod(self.year * 12 + self.number - 1 + months, 12)
        return _Month(year, index + 1)

    @property
    def starts_at(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def suffix(self) -> str:
        return f"{self.year:04d}_{self.number:02d}"


def ensure_partitions(now: datetime) -> list[str]:
    """Make the partitions of this month, the next two, and any whose rows came without one; return what was made.

    Raises django.db.OperationalError where a long query keeps the tables; nothing is lost then, because rows without
    a month of their own go to the default partition and move when their month is made.
    """
    if connection.vendor != "postgresql":
        return []
    made = []
    for model in _MOMENTS:
        known = {suffix for _, suffix in _months_of(model)}
        wanted = {_Month.of(now).plus(ahead) for ahead in range(MONTHS_AHEAD + 1)} | _months_without_partition(model)
        made += [_make_partition(model, month) for month in sorted(wanted) if month.suffix not in known]
    return made


def drop_old(*, keep_months: int, now: datetime) -> Dropped:
    """Drop what is from before the last so many whole months; nothing for 0. Return what that was.

    Raises django.db.OperationalError where a long query keeps the tables; the next time does it.
    """
    if keep_months <= 0:
        return Dropped()
    oldest = _Month.of(now).plus(-keep_months)
    _move_horizon(oldest.starts_at)
    deleted = _delete_in_bits(Denial, "at", oldest.starts_at)
    if connection.vendor != "postgresql":
        return Dropped(rows=deleted + _delete_in_bits(UsageRecord, "started_at", oldest.starts_at))
    old = sorted({suffix for model in _MOMENTS for _, suffix in _months_of(model) if suffix < oldest.suffix})
    dropped = [name for suffix in old for name in _drop_month(suffix)]
    forget_carried(now.timestamp())
    return Dropped(partitions=tuple(dropped), rows=deleted)


def _months_of(model: type[models.Model]) -> Iterator[tuple[str, str]]:
    """Yield the partitions of single months, each with the year and month that end its name."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = %s::regclass",
            [table],
        )
        for (name,) in cursor.fetchall():
            suffix = name.removeprefix(f"{table}_")
            if suffix != "default":
                yield name, suffix


def _months_without_partition(model: type[models.Model]) -> set[_Month]:
    """Return the months of rows that came late, or before their month was made."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc('month', {_MOMENTS[model]}, 'UTC') FROM {model._meta.db_table}_default"  # noqa: S608
        )
        return {_Month.of(moment) for (moment,) in cursor.fetchall()}


def _make_partition(model: type[models.Model], month: _Month) -> str:
    """Make the partition of a month; rows of that month that have come to the default one move over."""
    table, name = model._meta.db_table, f"{model._meta.db_table}_{month.suffix}"
    default, moment = f"{table}_default", _MOMENTS[model]
    bounds = [month.starts_at, month.plus(1).starts_at]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_TIMEOUT)
        cursor.execute(_ONE_AT_A_TIME)
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"SELECT EXISTS (SELECT FROM {default} WHERE {moment} >= %s AND {moment} < %s)", bounds)  # noqa: S608
        crowded = cursor.fetchone() == (True,)
        if crowded:
            _set_default_aside(model)
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM (%s) TO (%s)", bounds)
        if crowded:
            cursor.execute(f"INSERT INTO {table} SELECT * FROM {default}_full")  # noqa: S608 names of ours
            cursor.execute(f"DROP TABLE {default}_full")
    return name


def _set_default_aside(model: type[models.Model]) -> None:
    """Put an empty default partition in the place of the one that is there, whose rows the caller then spreads.

    They can't be deleted from where they are: the ledger refuses that.
    """
    table = model._meta.db_table
    default = f"{table}_default"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DETACH PARTITION {default}")
        cursor.execute(f"ALTER TABLE {default} RENAME TO {default}_full")
        cursor.execute(f"CREATE TABLE {default} PARTITION OF {table} DEFAULT")


def _drop_month(suffix: str) -> list[str]:
    """Drop a month of the records and of the ledger together, after the balances have taken note of it."""
    dropped = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_TIMEOUT)
        cursor.execute(_ONE_AT_A_TIME)
        for model in _MOMENTS:
            for name, of in list(_months_of(model)):
                if of != suffix:
                    continue
                cursor.execute(f"ALTER TABLE {model._meta.db_table} DETACH PARTITION {name}")
                if model is LedgerEntry:
                    cursor.execute(_CARRY.format(entries=name))
                cursor.execute(f"DROP TABLE {name}")
                dropped.append(name)
    return dropped


_CARRY = """
    UPDATE usage_budgetbalance balance
    SET carried_nanos = carried_nanos + gone.nanos, carried_posts = carried_posts + gone.posts
    FROM (
        SELECT unnest(string_to_array(charges, ' ')) AS charge, worker, SUM(nanos) AS nanos, SUM(posts) AS posts FROM (
            SELECT charges, worker, SUM(COALESCE(amount_nanos, 0)) AS nanos,
                COUNT(*) FILTER (WHERE kind = 'post') AS posts
            FROM {entries} WHERE kind IN ('post', 'adjust') AND charges <> '' GROUP BY charges, worker
        ) AS grouped GROUP BY 1, 2
    ) AS gone
    WHERE balance.counter || '@' || balance.slice = gone.charge AND balance.worker = gone.worker
"""


def _move_horizon(kept_since: datetime) -> None:
    """Write down from when on everything is still there, before the rest goes."""
    horizon, made = RetentionHorizon.objects.get_or_create(pk=1, defaults={"kept_since": kept_since})
    if not made and horizon.kept_since < kept_since:
        RetentionHorizon.objects.filter(pk=1).update(kept_since=kept_since)


def _delete_in_bits(model: type[models.Model], moment: str, before: datetime) -> int:
    """Delete old rows in transactions so small that nobody waits for them."""
    deleted = 0
    while True:
        old = model._default_manager.filter(**{f"{moment}__lt": before}).order_by(moment)
        keys = list(old.values_list("pk", flat=True)[:_DELETED_AT_ONCE])
        if not keys:
            return deleted
        deleted += model._default_manager.filter(pk__in=keys).order_by()._raw_delete(connection.alias)
