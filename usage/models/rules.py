"""The rules as operators write them: budgets, limits, exceptions to budgets, and who changed what.

Each says which calls it is about (empty filters leave that open) and whether these count together or apart. Saving
one moves the configuration's version, so every worker follows within a second.
"""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from providers.models import Provider
from tenants.configuration import Configured
from tenants.models import Key, Tenant, User, validate_time_zone

LARGEST_NANOS = 10**18  # a billion dollars


def default_alert_percents() -> list[int]:
    """Return at which shares of a budget alerts are sent unless it says otherwise."""
    return [50, 80, 100]


def validate_percents(value: Any) -> None:
    """Raise ValidationError unless the value is a list of whole percentages from 1 to 1000."""
    if not isinstance(value, list) or not all(type(item) is int and 1 <= item <= 1000 for item in value):
        raise ValidationError("a list of whole percentages, such as [50, 80, 100]")


class Per(models.TextChoices):
    """How the calls that a rule is about are told apart."""

    TOGETHER = "", "all together"
    TENANT = "tenant", "each tenant for itself"
    USER = "user", "each user for itself"
    KEY = "key", "each key for itself"
    ROUTE = "route", "each route for itself"


class Rule(Configured):
    """What budgets and limits share: a name, the calls they are about, and how these are counted."""

    name = models.CharField(max_length=120, unique=True)
    enabled = models.BooleanField(default=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    key = models.ForeignKey(Key, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    route = models.CharField(max_length=200, blank=True, help_text="A route's name, as configured. Empty: any.")
    per = models.CharField(max_length=16, choices=Per, default=Per.TOGETHER, blank=True, verbose_name="counted")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a rule that no call could ever fit."""
        key = self.key
        if key is not None and self.tenant_id not in (None, key.tenant_id):
            raise ValidationError({"key": "This key belongs to another tenant."})
        if key is not None and self.user_id not in (None, key.user_id):
            raise ValidationError({"key": "This key belongs to another user, or to none."})
        if key is not None and key.user_id is None and self.per == Per.USER:
            raise ValidationError({"per": "This key belongs to no user."})


class Budget(Rule):
    """So much money a window. A hard budget refuses the call that could exceed it, a soft one warns.

    It counts from its creation, and again from zero after a reset (`generation` then goes up).
    """

    class Period(models.TextChoices):
        DAY = "day", "calendar day"
        WEEK = "week", "calendar week, from Monday"
        MONTH = "month", "calendar month"
        ROLLING_HOURS = "rolling_hours", "the last N hours"
        ROLLING_DAYS = "rolling_days", "the last N days"
        LIFETIME = "lifetime"

    limit_nanos = models.PositiveBigIntegerField(
        help_text="In nano-dollars.", validators=[MaxValueValidator(LARGEST_NANOS)]
    )
    period = models.CharField(max_length=16, choices=Period, default=Period.MONTH)
    length = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10_000)], help_text="The N above."
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text="IANA name. Empty: the tenant's, and UTC where several tenants are counted together.",
    )
    hard = models.BooleanField(default=True, help_text="Refuse what could exceed it; otherwise only warn.")
    alert_percents = models.JSONField(default=default_alert_percents, blank=True, validators=[validate_percents])
    generation = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(period__in=["rolling_hours", "rolling_days"], length__gte=1)
                | (~Q(period__in=["rolling_hours", "rolling_days"]) & Q(length=None)),
                name="budget_length_where_rolling",
                violation_error_message="A rolling budget has a length, and no other has one.",
            ),
            models.CheckConstraint(condition=Q(limit_nanos__lte=LARGEST_NANOS), name="budget_limit_sane"),
        ]

    def clean(self) -> None:
        super().clean()
        rolling = self.period in (self.Period.ROLLING_HOURS, self.Period.ROLLING_DAYS)
        if rolling and not self.length:
            raise ValidationError({"length": "How many hours or days does it look back?"})
        if not rolling and self.length is not None:
            raise ValidationError({"length": "Only a rolling budget has a length."})


class BudgetAllowance(Configured):
    """Another limit for one subject of a budget: an override, for good or until a moment."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="allowances")
    subject = models.CharField(
        max_length=210, blank=True, help_text="As it is counted: t7 a tenant, u7 a user, k7 a key; empty: together."
    )
    limit_nanos = models.PositiveBigIntegerField(validators=[MaxValueValidator(LARGEST_NANOS)])
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: for good.")
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["budget", "subject"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["budget", "subject"], name="allowance_once_a_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.budget} for {self.subject or 'all'}"


class Limit(Rule):
    """So many requests or tokens a window, or so many calls, streams or calls to one provider at once."""

    class Measure(models.TextChoices):
        REQUESTS = "requests"
        TOKENS = "tokens"
        PARALLEL_CALLS = "parallel_calls", "calls at once"
        PARALLEL_STREAMS = "parallel_streams", "streams at once"
        PROVIDER_CALLS = "provider_calls", "calls at once to the provider"

    class Span(models.TextChoices):
        MINUTE = "minute"
        HOUR = "hour"
        DAY = "day"

    measure = models.CharField(max_length=20, choices=Measure, default=Measure.REQUESTS)
    span = models.CharField(
        max_length=8, choices=Span, blank=True, help_text="For requests and tokens: a sliding span."
    )
    value = models.PositiveBigIntegerField(validators=[MaxValueValidator(10**15)])
    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="For its calls at once."
    )

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(measure__in=["requests", "tokens"]) & ~Q(span=""))
                | (~Q(measure__in=["requests", "tokens"]) & Q(span="")),
                name="limit_span_where_rate",
                violation_error_message="Requests and tokens have a span; what is counted at once has none.",
            ),
            models.CheckConstraint(
                condition=Q(
                    measure="provider_calls", provider__isnull=False, tenant=None, user=None, key=None, route="", per=""
                )
                | (~Q(measure="provider_calls") & Q(provider=None)),
                name="limit_provider_alone",
                violation_error_message="A provider's calls at once are limited whoever calls; no other limit has one.",
            ),
        ]

    def clean(self) -> None:
        super().clean()
        rate = self.measure in (self.Measure.REQUESTS, self.Measure.TOKENS)
        if rate and not self.span:
            raise ValidationError({"span": "Requests and tokens are counted over a span."})
        if not rate and self.span:
            raise ValidationError({"span": "What is counted at once has no span."})
        if self.measure == self.Measure.PROVIDER_CALLS:
            self._clean_provider_calls()
        elif self.provider_id is not None:
            raise ValidationError({"provider": "Only a limit of calls at once to the provider has one."})

    def _clean_provider_calls(self) -> None:
        if self.provider_id is None:
            raise ValidationError({"provider": "Which provider's calls?"})
        for name in ("tenant", "user", "key", "route", "per"):
            if getattr(self, name):
                raise ValidationError({name: "A provider's calls at once are limited whoever calls."})


class PolicyChange(models.Model):
    """Who changed a budget or limit, when, from what to what and why. Rows are only added."""

    class Action(models.TextChoices):
        CREATED = "created"
        CHANGED = "changed"
        DELETED = "deleted"
        RAISED = "raised"
        RESET = "reset"
        OVERRIDDEN = "overridden"
        OVERRIDE_ENDED = "override_ended"
        ADJUSTED = "adjusted"

    class Kind(models.TextChoices):
        BUDGET = "budget"
        LIMIT = "limit"

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=200, help_text="Stays when the user is gone.")
    action = models.CharField(max_length=16, choices=Action)
    kind = models.CharField(max_length=8, choices=Kind, blank=True)
    rule_id = models.BigIntegerField(null=True)
    rule = models.CharField(max_length=120, help_text="The budget's or limit's name.")
    subject = models.CharField(max_length=210, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["kind", "rule_id", "-id"], name="policy_change_by_rule")]

    def __str__(self) -> str:
        return f"{self.action} {self.rule}"
