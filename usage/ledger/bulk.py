"""Many rows at once, at the speed of the database: the ORM would spend several times as long on a batch.

Call inside a transaction. A conflict or a value that doesn't fit raises; nothing passes in silence.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC
from typing import Any

from django.db import connection, models

__all__ = ["add_to_sums", "insert_rows"]


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Collection[Sequence[Any]]) -> None:
    """Insert rows, all of them or none: by COPY on PostgreSQL, by one prepared statement elsewhere."""
    if not rows:
        return
    table, names = model._meta.db_table, ", ".join(columns)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 names of ours
        cursor.executemany(statement, _as_the_orm_writes(model, columns, rows))


def add_to_sums(
    model: type[models.Model], *, keys: Sequence[str], sums: Sequence[str], rows: Collection[Sequence[Any]]
) -> None:
    """Add to the sums that the keys name, or begin them. Rows are keys, then sums; no two have the same keys.

    They are written in the order of their keys, the same for everyone, so that two never wait for each other in a
    circle. The ORM's upsert can only overwrite, not add.
    """
    if not rows:
        return
    ordered: Sequence[Sequence[Any]] = sorted(rows, key=lambda row: tuple(row[: len(keys)]))
    if connection.vendor != "postgresql":
        ordered = _as_the_orm_writes(model, (*keys, *sums), ordered)
    with connection.cursor() as cursor:
        cursor.executemany(_upsert(model._meta.db_table, keys, sums), ordered)


def _upsert(table: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    """Return the statement that adds; PostgreSQL and SQLite both speak it."""
    columns = (*keys, *sums)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) "  # noqa: S608 names
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET "
        + ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
    )


def _as_the_orm_writes(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Sequence[Sequence[Any]]:
    """Turn instants into the text that SQLite's rows hold them as; only the same text compares as the same instant."""
    instants = {field.attname for field in model._meta.concrete_fields if isinstance(field, models.DateTimeField)}
    places = [place for place, column in enumerate(columns) if column in instants]
    written = [list(row) for row in rows]
    for place in places:
        for row in written:
            row[place] = row[place].astimezone(UTC).isoformat(" ")[: -len("+00:00")]
    return written
