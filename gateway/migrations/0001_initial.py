from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='StoredResponse',
            fields=[
                ('id', models.CharField(max_length=128, primary_key=True, serialize=False)),
                ('tenant_id', models.BigIntegerField()),
                ('key_id', models.BigIntegerField()),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('previous_id', models.CharField(blank=True, help_text='The response that this one goes on from.', max_length=128)),
                ('input', models.TextField(help_text='The items given in this turn, a JSON list.')),
                ('response', models.TextField(help_text='The response, a JSON object.')),
                ('provider', models.CharField(blank=True, help_text='The provider that keeps the response itself.', max_length=64)),
                ('upstream_id', models.CharField(blank=True, help_text="The response's id there.", max_length=128)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
    ]
