"""The money tables: entries that are only ever added, what they sum to by budget, and what was refused."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from tenants.models import Key, Tenant, User


class LedgerEntry(models.Model):
    """One movement of money. Triggers of the database refuse to change or delete a row.

    `entry_id` is the attempt's id and the kind, so that telling it twice adds it once. A call under budgets that has
    ended has one `reserve`, a `post` for every attempt, and a `void` (or an `expire`, where its worker died) for the
    rest: reserve = posts + the rest, unless an attempt cost more than its worst case. Without budgets only the posts
    are there. An `adjust` is an operator's correction and may be negative.
    """

    class Kind(models.TextChoices):
        RESERVE = "reserve"
        POST = "post"
        VOID = "void"
        EXPIRE = "expire"
        ADJUST = "adjust"

    entry_id = models.CharField(max_length=48, primary_key=True)
    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=8, choices=Kind)
    attempt_id = models.CharField(max_length=40, blank=True)
    request_id = models.CharField(max_length=128, db_index=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    key = models.ForeignKey(Key, on_delete=models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    amount_nanos = models.BigIntegerField(null=True, help_text="Null: no price was known.")
    estimated = models.BooleanField(default=False)
    charges = models.TextField(blank=True, help_text="The budgets it counts against: counter@slice, by spaces.")
    worker = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    actor_name = models.CharField(max_length=200, blank=True, help_text="Who corrected; empty for what calls cost.")

    class Meta:
        ordering: ClassVar = ["-at", "-entry_id"]
        verbose_name_plural = "ledger entries"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["reserve", "post", "void", "expire", "adjust"]), name="ledger_kind_known"
            ),
            models.CheckConstraint(condition=Q(kind="adjust") | Q(amount_nanos__gte=0), name="ledger_amount_sign"),
            models.CheckConstraint(
                condition=Q(kind="post") | Q(amount_nanos__isnull=False), name="ledger_unpriced_only_posts"
            ),
        ]

    def __str__(self) -> str:
        return self.entry_id


class BudgetBalance(models.Model):
    """What one worker has posted against one counter of a budget, in one slice of its window.

    The sum over the workers is what was spent. The worker is kept apart because a living worker's counters already
    have its part. `adjustments` stands in the worker's place for what operators corrected.
    """

    budget_id = models.BigIntegerField()
    counter = models.CharField(max_length=250)
    slice = models.BigIntegerField()
    worker = models.CharField(max_length=100)
    posted_nanos = models.BigIntegerField(default=0)
    posts = models.PositiveBigIntegerField(default=0)
    carried_nanos = models.BigIntegerField(default=0)
    carried_posts = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["counter", "slice", "worker"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["budget_id", "slice", "counter", "worker"], name="balance_once"),
            models.CheckConstraint(
                condition=Q(posted_nanos__gte=0) | Q(worker="adjustments"), name="balance_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.counter}@{self.slice} by {self.worker}"


class RetentionHorizon(models.Model):
    """One row: records from before this moment have been dropped, so nothing older can be proved any more."""

    kept_since = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="retention_horizon_is_one_row"),
        ]

    def __str__(self) -> str:
        return f"kept since {self.kept_since:%Y-%m-%d}"


class Denial(models.Model):
    """Calls that a limit or budget refused within a moment, for one reason, to one key."""

    denial_id = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField(db_index=True)
    request_id = models.CharField(max_length=128, db_index=True, help_text="Of the last of these calls.")
    tenant = models.ForeignKey(Tenant, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    key = models.ForeignKey(Key, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    route = models.CharField(max_length=200)
    code = models.CharField(max_length=64)
    rule = models.CharField(max_length=120)
    remaining = models.BigIntegerField(default=0, help_text="What was left of it, in its own unit.")
    count = models.PositiveBigIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["-at"]
        indexes: ClassVar = [models.Index(fields=["tenant", "-at"], name="denial_by_tenant")]

    def __str__(self) -> str:
        return f"{self.code} {self.rule}"
