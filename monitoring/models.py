"""Where alerts go, which there were, and what became of each on its way.

An alert is a fact of the whole cluster: while it stands, the database lets no second one like it be added, whichever
process notices. A delivery is that fact on its way to one channel; its tries are claimed by conditional updates.
"""

import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator, validate_email
from django.db import models
from django.db.models import Q
from django.utils import timezone

from kernel.ids import new_id
from kernel.secrets import Sealer
from tenants.models import Tenant

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
ADDRESSES_MAX = 50


def new_alert_id() -> str:
    """Return the identifier of a new alert; receivers know repeated messages by it."""
    return new_id("alr")


def new_signing_secret() -> str:
    """Return a fresh secret for signing: `whsec_` and 43 random characters (256 bits)."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def validate_addresses(value: Any) -> None:
    """Raise ValidationError unless the value is a list of e-mail addresses."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value) or len(value) > ADDRESSES_MAX:
        raise ValidationError(f"a list of at most {ADDRESSES_MAX} e-mail addresses")
    for address in value:
        validate_email(address)


def _sealer() -> Sealer:
    return Sealer(settings.GATEWAY_SEALING_KEYS)


class AlertChannel(models.Model):
    """A way to reach people or their systems: e-mail to some addresses, or signed requests to a URL."""

    class Kind(models.TextChoices):
        EMAIL = "email", "e-mail"
        WEBHOOK = "webhook"

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.EMAIL)
    enabled = models.BooleanField(default=True)
    tenant = models.ForeignKey(
        Tenant,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Only what this tenant alone spends. Empty: everything.",
    )
    addresses = models.JSONField(default=list, blank=True, validators=[validate_addresses])
    url = models.CharField(
        max_length=1_000,
        blank=True,
        validators=[RegexValidator(r"^https?://[^\s/?#]+[^\s#]*\Z", "An http(s) URL.")],
        verbose_name="URL",
        help_text="Private addresses are allowed: who may edit channels decides what the gateway's network reaches.",
    )
    sealed_secret = models.TextField(blank=True, editable=False)
    cooldown_minutes = models.PositiveIntegerField(
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(60 * 24 * 31)],
        help_text="For so long after a message about somebody's budget, only a higher percentage makes another.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="email", url="") | (Q(kind="webhook") & ~Q(url="")),
                name="alert_channel_url_of_webhook",
                violation_error_message="A webhook has a URL, and e-mail has none.",
            ),
            models.CheckConstraint(condition=Q(cooldown_minutes__gte=1), name="alert_channel_cooldown_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a channel that leads nowhere, or to two kinds of places."""
        if self.kind == self.Kind.EMAIL:
            if not self.addresses:
                raise ValidationError({"addresses": "To whom?"})
            if self.url:
                raise ValidationError({"url": "Only a webhook has a URL."})
            return
        if not self.url:
            raise ValidationError({"url": "To which URL?"})
        if self.addresses:
            raise ValidationError({"addresses": "Only e-mail has addresses."})

    def set_secret(self, plain: str) -> None:
        """Seal a signing secret into the row; save it afterwards."""
        self.sealed_secret = _sealer().seal(plain)

    def secret(self) -> str:
        """Open the signing secret. Raises SealBroken where no key of this deployment fits."""
        return _sealer().open(self.sealed_secret)


class Alert(models.Model):
    """One counter of a budget went past one percentage. It stands until the counter is below it, or its period over.

    `period` is the number of a calendar window's slice, and 0 for windows that slide or never end. Before
    `rearms_at` the same percentage makes no other alert, even if it was left and passed again.
    """

    alert_id = models.CharField(max_length=40, primary_key=True, default=new_alert_id, editable=False)
    at = models.DateTimeField(db_index=True)
    budget_id = models.BigIntegerField()
    budget = models.CharField(max_length=120, help_text="The budget's name at that moment.")
    hard = models.BooleanField()
    counter = models.CharField(max_length=250)
    period = models.BigIntegerField()
    percent = models.PositiveIntegerField()
    subject = models.CharField(max_length=500, help_text="Whose share of the budget it is, in words.")
    tenant_id = models.BigIntegerField(null=True, help_text="Whose money it is; empty where several spend together.")
    spent_nanos = models.BigIntegerField()
    limit_nanos = models.BigIntegerField()
    resets_at = models.DateTimeField(null=True)
    rearms_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-at", "-alert_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["budget_id", "counter", "period", "percent"],
                condition=Q(ended_at=None),
                name="alert_stands_once",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["ended_at"], name="alert_by_end")]

    def __str__(self) -> str:
        return f"{self.budget}: {self.percent} %"


class AlertDelivery(models.Model):
    """An alert on its way to a channel. A try is claimed by moving `tries` and `next_try_at` in one update."""

    class Status(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"
        SUPPRESSED = "suppressed"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(AlertChannel, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True, help_text="Why it was held back, or failed last.")

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "alert deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "channel"], name="delivery_once_a_channel"),
            models.CheckConstraint(
                condition=~Q(status="pending") | Q(next_try_at__isnull=False), name="delivery_pending_has_a_moment"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_try_at"], condition=Q(status="pending"), name="delivery_due"),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} to {self.channel_id}: {self.status}"
