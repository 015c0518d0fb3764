"""A ledger that has everything, and that the database itself keeps from being changed.

What was used before there was a ledger is posted, so that records and posts agree from the first row on. Then triggers
refuse UPDATE and DELETE of its rows. Dropping a month's partition on PostgreSQL is no DELETE, so retention still works.
SQLite forgets triggers when a later migration alters the table, because that makes it anew: such a migration has to end
with these triggers again.
"""

from django.db import migrations

LEDGER = "usage_ledgerentry"
COMPLAINT = "the ledger is append-only"
POST_WHAT_WAS_USED = f"""
    INSERT INTO {LEDGER} (
        entry_id, at, kind, attempt_id, request_id, tenant_id, key_id, amount_nanos, estimated, charges, worker, reason,
        actor_name)
    SELECT attempt_id || '.p', started_at, 'post', attempt_id, request_id, tenant_id, key_id, cost_nanos,
        tokens_estimated, '', '', '', ''
    FROM usage_usagerecord WHERE true ON CONFLICT DO NOTHING
"""


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE FUNCTION {LEDGER}_guard() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{COMPLAINT}' USING ERRCODE = 'restrict_violation'; END $$"
        )
        schema_editor.execute(
            f"CREATE TRIGGER {LEDGER}_guard BEFORE UPDATE OR DELETE ON {LEDGER} "
            f"FOR EACH ROW EXECUTE FUNCTION {LEDGER}_guard()"
        )
    elif schema_editor.connection.vendor == "sqlite":
        for event in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER {LEDGER}_guard_{event.lower()} BEFORE {event} ON {LEDGER} "
                f"BEGIN SELECT RAISE(ABORT, '{COMPLAINT}'); END"
            )


def unguard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER {LEDGER}_guard ON {LEDGER}")
        schema_editor.execute(f"DROP FUNCTION {LEDGER}_guard()")
    elif schema_editor.connection.vendor == "sqlite":
        for event in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER {LEDGER}_guard_{event}")


class Migration(migrations.Migration):

    dependencies = [
        ("usage", "0003_partitions"),
    ]

    operations = [
        migrations.RunSQL(POST_WHAT_WAS_USED, migrations.RunSQL.noop),
        migrations.RunPython(guard, unguard),
    ]
