"""The nouns of what was used: a record per attempt, sums per hour, and how far each journal has been shipped.

Records are append-only. They name routes, targets and models by text, because what was called then must stay
readable after the configuration has changed.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from providers.models import Price
from tenants.models import Key, Tenant, User


class UsageRecord(models.Model):
    """One attempt that reached a provider: who, where to, how much, how it ended, what it cost."""

    class Ending(models.TextChoices):
        COMPLETED = "completed"
        REFUSED = "refused", "refused by the provider"
        FAILED = "failed", "no answer, or a broken one"
        CUT = "cut", "stream broken by the provider"
        CANCELLED = "cancelled", "caller hung up"
        LOST = "lost", "the gateway's worker died"

    attempt_id = models.CharField(max_length=40, primary_key=True)
    request_id = models.CharField(max_length=128, db_index=True)
    started_at = models.DateTimeField(db_index=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    key = models.ForeignKey(Key, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    operation = models.CharField(max_length=32)
    route = models.CharField(max_length=200)
    target = models.CharField(max_length=300)
    provider = models.CharField(max_length=64)
    model = models.CharField(max_length=200)
    attempt_number = models.PositiveSmallIntegerField(default=1)
    chosen_because = models.CharField(max_length=200, blank=True)
    streamed = models.BooleanField(default=False)
    ending = models.CharField(max_length=16, choices=Ending)
    status = models.PositiveSmallIntegerField(null=True)
    error_code = models.CharField(max_length=64, blank=True)
    finish_reason = models.CharField(max_length=32, blank=True)
    input_tokens = models.PositiveBigIntegerField(default=0)
    cached_input_tokens = models.PositiveBigIntegerField(default=0)
    cache_write_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    reasoning_tokens = models.PositiveBigIntegerField(default=0)
    audio_input_tokens = models.PositiveBigIntegerField(default=0)
    audio_output_tokens = models.PositiveBigIntegerField(default=0)
    images = models.PositiveIntegerField(default=0)
    characters = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Spoken.")
    audio_ms = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Milliseconds of sound heard.")
    searches = models.PositiveIntegerField(default=0, db_default=0)
    tokens_estimated = models.BooleanField(default=False)
    cost_nanos = models.PositiveBigIntegerField(null=True, help_text="Null: no price was known.")
    price = models.ForeignKey(
        Price, on_delete=models.DO_NOTHING, db_constraint=False, null=True, db_index=False, help_text="The price used."
    )
    latency_us = models.PositiveBigIntegerField(default=0)
    first_byte_us = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering: ClassVar = ["-attempt_id"]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-started_at"], name="usage_by_tenant"),
            models.Index(fields=["key", "-started_at"], name="usage_by_key"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(cached_input_tokens__lte=models.F("input_tokens")), name="usage_cached_within_input"
            ),
        ]

    def __str__(self) -> str:
        return self.attempt_id


class UsageHour(models.Model):
    """Sums of the records of one hour and one set of dimensions, kept in the transaction that adds the records."""

    hour = models.DateTimeField()
    tenant = models.ForeignKey(Tenant, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    key = models.ForeignKey(Key, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    route = models.CharField(max_length=200)
    provider = models.CharField(max_length=64)
    model = models.CharField(max_length=200)
    attempts = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cost_nanos = models.PositiveBigIntegerField(default=0)
    unpriced_attempts = models.PositiveBigIntegerField(default=0)
    latency_us = models.PositiveBigIntegerField(default=0, help_text="Sum over the attempts.")

    class Meta:
        ordering: ClassVar = ["-hour"]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "hour"], name="usage_hour_by_tenant"),
            models.Index(fields=["key", "hour"], name="usage_hour_by_key"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["hour", "tenant", "key", "route", "provider", "model"],
                name="usage_hour_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.route}"


class JournalPosition(models.Model):
    """How many bytes of a journal file have been shipped into the tables above."""

    file = models.CharField(max_length=200, primary_key=True)
    offset_bytes = models.PositiveBigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.file} up to {self.offset_bytes}"
