"""Characters spoken, sound heard and searches run, beside the tokens.

The database knows the value of old rows, so that on PostgreSQL no row is rewritten, in no month's part; and a worker of
the release before can still add its own.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("usage", "0004_ledger_guards"),
    ]

    operations = [
        migrations.AddField(
            model_name="usagerecord",
            name="characters",
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text="Spoken."),
        ),
        migrations.AddField(
            model_name="usagerecord",
            name="audio_ms",
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text="Milliseconds of sound heard."),
        ),
        migrations.AddField(
            model_name="usagerecord",
            name="searches",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
