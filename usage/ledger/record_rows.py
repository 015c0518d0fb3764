"""Records become rows: an attempt its own and its part in the sums of its hour, a denial its own.

Call inside a transaction. What no table can hold raises: ValueError or OverflowError for amounts that can't be true,
DataError or IntegrityError for what the database refuses.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter, itemgetter
from typing import Any

from django.db import models

from providers.dialects.canonical import Usage
from usage.ledger.bulk import add_to_sums, insert_rows
from usage.models import Denial, UsageHour, UsageRecord
from usage.records import AttemptRecord, DenialRecord

__all__ = ["insert_attempts", "insert_denials"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_AMOUNT = 10**15  # a million dollars, or a quadrillion tokens: beyond, it is a fault and would wreck the sums
_SUCCESSES = ("completed", "cancelled")

_COLUMNS = {field.attname: field for field in UsageRecord._meta.concrete_fields}
_SAME_NAME = [name for name in AttemptRecord.__struct_fields__ if name in _COLUMNS]
_OF_USAGE = [name for name in Usage.__struct_fields__ if name in _COLUMNS]
_same_of = attrgetter(*_SAME_NAME)
_usage_of = attrgetter(*_OF_USAGE)
_values_of = itemgetter(*_COLUMNS)
_amounts_of = itemgetter(*_OF_USAGE, "cost_nanos", "latency_us", "first_byte_us")
_HOUR_KEYS = ("hour", "tenant_id", "key_id", "route", "provider", "model")
_HOUR_SUMS = ("attempts", "errors", "input_tokens", "output_tokens", "cost_nanos", "unpriced_attempts", "latency_us")
_Row = dict[str, Any]


def _text_lengths(model: type[models.Model]) -> Mapping[str, int]:
    return {
        field.attname: field.max_length
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField) and field.max_length and not field.primary_key
    }


_TEXTS = _text_lengths(UsageRecord)
_DENIAL_TEXTS = _text_lengths(Denial)


def insert_attempts(records: Iterable[AttemptRecord]) -> list[AttemptRecord]:
    """Add the attempts that are new to the records and to the sums of their hours; return those."""
    by_id = {record.attempt_id: record for record in records}
    rows = {attempt_id: _row_of(record) for attempt_id, record in by_id.items()}
    for known in _known_among(rows):
        del rows[known]
    insert_rows(UsageRecord, list(_COLUMNS), [_values_of(row) for row in rows.values()])
    add_to_sums(UsageHour, keys=_HOUR_KEYS, sums=_HOUR_SUMS, rows=_sum_by_hour(rows.values()))
    return [by_id[attempt_id] for attempt_id in rows]


def insert_denials(records: Iterable[DenialRecord]) -> None:
    """Add the denials that are new."""
    rows = [_denial_of(record) for record in records]
    if rows:
        Denial.objects.bulk_create(rows, ignore_conflicts=True)


def _known_among(rows: Mapping[str, _Row]) -> Iterable[str]:
    """Return the attempts that have rows; the span of their moments tells which parts of the table to look in."""
    if not rows:
        return ()
    moments = [row["started_at"] for row in rows.values()]
    known = UsageRecord.objects.filter(pk__in=list(rows), started_at__gte=min(moments), started_at__lte=max(moments))
    return list(known.order_by().values_list("pk", flat=True))


def _row_of(record: AttemptRecord) -> _Row:
    """Turn a record into its columns.

    Texts are cut to their column: what was used counts, however long the name it went by.
    """
    row: _Row = dict(zip(_SAME_NAME, _same_of(record), strict=True))
    row.update(zip(_OF_USAGE, _usage_of(record.usage), strict=True))
    for amount in _amounts_of(row):
        if amount is not None and not 0 <= amount <= _LARGEST_AMOUNT:
            raise ValueError(f"{amount} is no amount that can be true")
    _cut_texts(row, _TEXTS)
    row["started_at"] = _moment_of(record.started_at_ns)
    row["tokens_estimated"] = record.usage.estimated
    return row


def _denial_of(record: DenialRecord) -> Denial:
    if record.count < 0:
        raise ValueError(f"count is {record.count}")
    row: _Row = {name: getattr(record, name) for name in record.__struct_fields__ if name != "at_ns"}
    _cut_texts(row, _DENIAL_TEXTS)
    return Denial(**row, at=_moment_of(record.at_ns))


def _cut_texts(row: _Row, lengths: Mapping[str, int]) -> None:
    for name, length in lengths.items():
        text = row[name]
        if len(text) > length or "\0" in text:
            row[name] = text.replace("\0", "")[:length]


def _moment_of(at_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_ns // 1_000)


def _sum_by_hour(rows: Iterable[_Row]) -> Sequence[Sequence[Any]]:
    sums: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        hour = row["started_at"].replace(minute=0, second=0, microsecond=0)
        key = (hour, row["tenant_id"], row["key_id"], row["route"], row["provider"], row["model"])
        _add(sums.setdefault(key, [0] * len(_HOUR_SUMS)), row)
    return [(*key, *values) for key, values in sums.items()]


def _add(sums: list[int], row: _Row) -> None:
    """Add a row to the sums of its hour, in the order of `_HOUR_SUMS`."""
    sums[0] += 1
    sums[1] += row["ending"] not in _SUCCESSES
    sums[2] += row["input_tokens"]
    sums[3] += row["output_tokens"]
    sums[4] += row["cost_nanos"] or 0
    sums[5] += row["cost_nanos"] is None
    sums[6] += row["latency_us"]
