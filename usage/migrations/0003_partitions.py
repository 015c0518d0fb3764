"""Records and ledger by month on PostgreSQL.

The models know nothing of it. The primary keys then hold the moment too, as partitioning demands; an attempt has one
moment, so it still can't be there twice. Rows that exist are copied: ten million take a few minutes, in which the
tables are locked.
"""

from django.db import migrations

TABLES = (
    # table, primary key, moment
    ("usage_usagerecord", "attempt_id", "started_at"),
    ("usage_ledgerentry", "entry_id", "at"),
)
MONTHS_AHEAD = 2


def partition(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, key, moment in TABLES:
            rebuild(schema_editor, table, key=f"{key}, {moment}", by=f"PARTITION BY RANGE ({moment})", moment=moment)


def merge(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, key, moment in TABLES:
            rebuild(schema_editor, table, key=key, by="", moment=moment)


def rebuild(schema_editor, table, *, key, by, moment):
    """Make the table anew with another primary key, in parts or in one, and copy its rows and indexes."""
    new = f"{table}_new"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary", [table]
        )
        indexes = [definition.replace(" ON ONLY ", " ON ") for (definition,) in cursor.fetchall()]
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(
            f"CREATE TABLE {new} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY ({key})) {by}"
        )
        if by:
            make_parts(cursor, table, new, moment)
        cursor.execute(f"INSERT INTO {new} SELECT * FROM {table}")
        cursor.execute(f"DROP TABLE {table}")
        cursor.execute(f"ALTER TABLE {new} RENAME TO {table}")
        cursor.execute(f"ALTER INDEX {new}_pkey RENAME TO {table}_pkey")
        for definition in indexes:
            cursor.execute(definition)


def make_parts(cursor, table, new, moment):
    """Make a part for every month from that of the oldest row on, two more, and one for whatever fits none.

    Rows that claim to be older than five years share the last one.
    """
    cursor.execute(f"CREATE TABLE {table}_default PARTITION OF {new} DEFAULT")
    cursor.execute(
        "SELECT to_char(month, 'YYYY_MM'), month, month + interval '1 month' FROM generate_series("
        f"date_trunc('month', GREATEST(now() - interval '5 years', LEAST(now(), (SELECT min({moment}) FROM {table}))), 'UTC'), "
        f"date_trunc('month', now(), 'UTC') + interval '{MONTHS_AHEAD} months', interval '1 month') AS month"
    )
    for name, first, end in cursor.fetchall():
        cursor.execute(f"CREATE TABLE {table}_{name} PARTITION OF {new} FOR VALUES FROM (%s) TO (%s)", [first, end])


class Migration(migrations.Migration):

    dependencies = [
        ("usage", "0002_budgets_limits_ledger"),
    ]

    operations = [
        migrations.RunPython(partition, merge),
    ]
