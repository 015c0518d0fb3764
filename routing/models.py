"""The nouns of routing: a route is the model name a client asks for; its targets are where such a call may go."""

import re
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from providers.models import Provider
from providers.options import OptionsBroken, check_target_options
from providers.presets import PRESETS
from tenants.configuration import Configured
from tenants.models import Tenant

_NAME = re.compile(r"\A[^\s*]*\*?[^\s*]*\Z")


def validate_names(value: Any) -> None:
    """Raise ValidationError unless the value is a list of non-empty texts."""
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ValidationError("a list of names")


class Route(Configured):
    """A model name that clients may ask for, with its policy. One `*` in the name stands for anything."""

    name = models.CharField(max_length=200, validators=[RegexValidator(_NAME, "no spaces, and at most one *")])
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, help_text="Only for this tenant; empty: everyone."
    )
    description = models.CharField(max_length=500, blank=True)
    aliases = models.JSONField(default=list, blank=True, validators=[validate_names], help_text="Other names for it.")
    enabled = models.BooleanField(default=True)
    max_attempts = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(20)], help_text="Tries in all, first included."
    )
    default_max_output_tokens = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Cap for calls that state none, where a budget applies. Empty: the model's own, else the gateway's.",
    )
    fallbacks = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_names],
        help_text="Routes whose targets are tried after this route's own, in order.",
    )
    drop_params = models.BooleanField(
        default=False,
        help_text="Make calls without the parameters that a target can't express, instead of refusing them.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name"], condition=Q(tenant=None), name="shared_route_once"),
            models.UniqueConstraint(
                fields=["tenant", "name"], condition=Q(tenant__isnull=False), name="tenant_route_once"
            ),
            models.CheckConstraint(condition=Q(max_attempts__gte=1), name="route_attempts_positive"),
            models.CheckConstraint(
                condition=Q(default_max_output_tokens=None) | Q(default_max_output_tokens__gte=1),
                name="route_output_cap_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Target(Configured):
    """One configured upstream model behind a route.

    Targets of the lowest `order` are tried first, drawn by weight; the next order follows when those have failed.
    """

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="targets")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="targets")
    model = models.CharField(max_length=200, help_text="The provider's name of the model. * repeats the route's *.")
    order = models.PositiveSmallIntegerField(default=0)
    weight = models.PositiveIntegerField(default=1, help_text="Share within its order; 0 gets no first tries.")
    enabled = models.BooleanField(default=True)
    max_output_tokens = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="The model's maximum. Empty: unknown."
    )
    first_byte_timeout_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: the provider's.")
    idle_timeout_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: the provider's.")
    total_timeout_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: the provider's.")
    options = models.JSONField(
        default=dict,
        blank=True,
        help_text='Options of the provider that are other here, and {"features": {"add": […], "remove": […]}}.',
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["order", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["route", "provider", "model", "order"], name="target_once_an_order"),
            models.CheckConstraint(
                condition=Q(max_output_tokens=None) | Q(max_output_tokens__gte=1), name="target_output_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"

    def clean(self) -> None:
        """Raise ValidationError for an option that the provider's kind doesn't take from a target."""
        super().clean()
        preset = PRESETS.get(self.provider.kind) if self.provider_id else None
        try:
            if preset is not None:
                check_target_options(preset, self.options)
        except OptionsBroken as error:
            raise ValidationError(f"options: {error}") from error  # of no field: not every form of a target has it
