"""The forms of budgets and limits, in the units people think in: dollars, percentages, and reasons."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from kernel.money import format_usd, usd_to_nanos
from usage.models import Budget, Limit
from usage.models.rules import LARGEST_NANOS, default_alert_percents

_LARGEST_USD = LARGEST_NANOS // 10**9


class UsdField(forms.DecimalField):
    """Dollars with up to nine decimals, which is nano-dollars exactly: the form's value is that integer."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"min_value": 0, "max_value": _LARGEST_USD, "decimal_places": 9, "max_digits": 19} | kwargs
        super().__init__(widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return format_usd(value) if type(value) is int else value

    def clean(self, value: Any) -> Any:
        usd = super().clean(value)
        return usd_to_nanos(usd) if isinstance(usd, Decimal) else usd

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != initial)
        except ValidationError:
            return True


class PercentsField(forms.CharField):
    """Whole percentages, written one after another."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(str(percent) for percent in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        words = str(value or "").replace(",", " ").replace("%", " ").split()
        if not all(word.isascii() and word.isdigit() and len(word) <= 4 and 1 <= int(word) <= 1000 for word in words):
            raise ValidationError("Write whole percentages from 1 to 1000, such as 50, 80, 100.")
        return sorted({int(word) for word in words})

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or []) != self.to_python(data))
        except ValidationError:
            return True


def reason_field(*, required: bool = True) -> forms.CharField:
    """Return the field that asks why."""
    return forms.CharField(
        label="Reason",
        max_length=500,
        required=required,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Kept with the change, for whoever asks later.",
    )


class BudgetForm(forms.ModelForm[Budget]):
    """A budget, its limit in dollars."""

    limit_nanos = UsdField(label="Limit in USD")
    alert_percents = PercentsField(
        label="Alert at percent", required=False, initial=default_alert_percents, widget=UnfoldAdminTextInputWidget()
    )
    reason = reason_field(required=False)

    class Meta:
        model = Budget
        fields = (
            "name",
            "enabled",
            "limit_nanos",
            "hard",
            "period",
            "length",
            "time_zone",
            "tenant",
            "user",
            "key",
            "route",
            "per",
            "alert_percents",
        )


class LimitForm(forms.ModelForm[Limit]):
    """A limit."""

    reason = reason_field(required=False)

    class Meta:
        model = Limit
        fields = ("name", "enabled", "measure", "value", "span", "provider", "tenant", "user", "key", "route", "per")


def subject_field() -> forms.CharField:
    """Return the field that asks whom it is about, as the budget counts them."""
    return forms.CharField(
        required=False,
        max_length=210,
        widget=UnfoldAdminTextInputWidget(),
        help_text="As it is counted: t7 a tenant, u7 a user, k7 a key, rsmart a route. Empty: all together.",
    )


class ReasonForm(forms.Form):
    """Nothing but why."""

    reason = reason_field()


class RaiseForm(forms.Form):
    """A higher limit."""

    limit = UsdField(label="New limit in USD")
    reason = reason_field()


class SubjectForm(forms.Form):
    """Whom it is about."""

    subject = subject_field()
    reason = reason_field()


class OverrideForm(forms.Form):
    """Another limit for somebody, until a moment or for good."""

    subject = subject_field()
    limit = UsdField(label="Limit in USD")
    until = forms.SplitDateTimeField(
        required=False, widget=UnfoldAdminSplitDateTimeWidget(), help_text="Empty: for good."
    )
    reason = reason_field()


class AdjustForm(forms.Form):
    """A correction of what counts as spent."""

    subject = subject_field()
    amount = UsdField(
        label="Amount in USD", min_value=-_LARGEST_USD, help_text="Below zero gives money back; the ledger keeps both."
    )
    reason = reason_field()
