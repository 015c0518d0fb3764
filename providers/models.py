"""The nouns of the upstream side: connections with sealed credentials, and what their models cost.

Prices are append-only: a new price is a new row with a later `effective_from`; the latest one in force wins.
"""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from kernel.secrets import Sealer
from providers.options import OptionsBroken, check_options
from providers.presets import PRESETS
from tenants.configuration import Configured
from tenants.models import Tenant


def _rate(help_text: str = "") -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=24, decimal_places=12, null=True, blank=True, help_text=help_text)


def sealer() -> Sealer:
    """Return the sealer of this deployment."""
    return Sealer(settings.GATEWAY_SEALING_KEYS)


def validate_headers(value: Any) -> None:
    """Raise ValidationError unless the value maps header names to texts."""
    if not isinstance(value, dict) or not all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()):
        raise ValidationError("extra headers are an object of names and texts")


class Provider(Configured):
    """A connection to an upstream: which kind it is, where it is, and the credential it wants."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=64, help_text="A preset, such as the vendor's name, or a plain adapter.")
    base_url = models.CharField(
        max_length=500,
        blank=True,
        validators=[RegexValidator(r"^https?://[^\s/?#]+[^\s?#]*$", "an http(s) URL without query")],
        help_text="Empty: the preset's own.",
    )
    sealed_credential = models.TextField(blank=True, editable=False)
    extra_headers = models.JSONField(default=dict, blank=True, validators=[validate_headers])
    options = models.JSONField(
        default=dict, blank=True, help_text="What this kind wants to know besides, such as a region: names and texts."
    )
    enabled = models.BooleanField(default=True)
    connect_timeout_ms = models.PositiveIntegerField(default=10_000)
    first_byte_timeout_ms = models.PositiveIntegerField(default=280_000)
    idle_timeout_ms = models.PositiveIntegerField(default=30_000, help_text="Longest silence inside an answer.")
    total_timeout_ms = models.PositiveIntegerField(default=300_000)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["slug"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(connect_timeout_ms__gt=0)
                & Q(first_byte_timeout_ms__gt=0)
                & Q(idle_timeout_ms__gt=0)
                & Q(total_timeout_ms__gt=0),
                name="provider_timeouts_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Raise ValidationError for an option that the kind doesn't know, and for one that it has to have."""
        super().clean()
        preset = PRESETS.get(self.kind)
        try:
            if preset is not None:
                check_options(preset, self.options)
        except OptionsBroken as error:
            raise ValidationError({"options": str(error)}) from error

    def set_credential(self, plain: str) -> None:
        """Seal a credential into the row; save it afterwards."""
        self.sealed_credential = sealer().seal(plain)

    def credential(self) -> str:
        """Open the credential. Raises SealBroken where no key of this deployment fits."""
        return sealer().open(self.sealed_credential)


class PriceCatalog(models.Model):
    """One load of a price list: where it came from and when it was written."""

    source = models.CharField(max_length=64)
    version = models.CharField(max_length=64, blank=True)
    last_updated = models.DateField(null=True, blank=True)
    loaded_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.source} {self.version}".strip()


class Price(Configured):
    """What one model costs from a moment on, in USD. Rows are added, never rewritten.

    An empty rate means that class of unit has no price of its own (cached input then costs what input costs, and so
    on; `providers.prices` has the rule). `tiers` lists dearer rates for long prompts:
    `[{"above_input_tokens": 200000, "input_per_mtok": "2.5", …}]`.
    """

    catalog = models.ForeignKey(PriceCatalog, on_delete=models.PROTECT, related_name="prices")
    vendor = models.CharField(max_length=64, help_text="The price list's name of the vendor; a provider's preset.")
    model = models.CharField(max_length=200)
    match = models.JSONField(null=True, blank=True, help_text="Rule for other spellings of the model's name.")
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, help_text="Only for this tenant; empty: everyone."
    )
    input_per_mtok = _rate()
    cached_input_per_mtok = _rate()
    cache_write_per_mtok = _rate()
    output_per_mtok = _rate()
    reasoning_per_mtok = _rate()
    audio_input_per_mtok = _rate()
    audio_output_per_mtok = _rate()
    per_image = _rate()
    per_request = _rate()
    per_mcharacter = _rate("USD per million characters.")
    per_audio_minute = _rate("USD per minute of sound.")
    per_search = _rate("USD per search.")
    tiers = models.JSONField(default=list, blank=True)
    withdrawn = models.BooleanField(default=False, help_text="From then on the model has no price.")
    effective_from = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["vendor", "model", "-effective_from"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["vendor", "model", "effective_from"], condition=Q(tenant=None), name="price_once_a_moment"
            ),
            models.UniqueConstraint(
                fields=["vendor", "model", "tenant", "effective_from"],
                condition=Q(tenant__isnull=False),
                name="tenant_price_once_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor}/{self.model} from {self.effective_from:%Y-%m-%d}"
