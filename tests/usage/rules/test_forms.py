"""Forms convert dollars exactly, and say what they don't take."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from usage.rules.forms import AdjustForm, PercentsField, RaiseForm, UsdField


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("0", 0),
        ("0.000000001", 1),
        ("0.1", 100_000_000),
        ("123456789.123456789", 123_456_789_123_456_789),
        ("1000000000", 10**18),
        ("1e2", 100 * 10**9),
    ],
)
def test_dollars_are_nano_dollars(text: str, nanos: int) -> None:
    field = UsdField()
    assert field.clean(text) == nanos
    assert not field.has_changed(nanos, text)
    assert field.clean(field.prepare_value(nanos)) == nanos


@pytest.mark.parametrize("text", ["", "-1", "0.0000000001", "1000000000.1", "NaN", "Infinity", "ten"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValidationError):
        UsdField().clean(text)


def test_what_was_typed_is_shown_again() -> None:
    form = RaiseForm({"limit": "ten", "reason": ""})
    assert set(form.errors) == {"limit", "reason"}
    assert 'value="ten"' in str(form["limit"])
    assert UsdField().has_changed(1, "ten")


def test_a_correction_may_go_down() -> None:
    form = AdjustForm({"amount": "-0.5", "reason": "refund"})
    assert form.is_valid()
    assert form.cleaned_data == {"subject": "", "amount": -500_000_000, "reason": "refund"}


@pytest.mark.parametrize(("text", "percents"), [("", []), ("80 50%,100", [50, 80, 100]), ("5,5", [5])])
def test_percentages(text: str, percents: list[int]) -> None:
    assert PercentsField(required=False).clean(text) == percents
    assert not PercentsField().has_changed(percents, text)


@pytest.mark.parametrize("text", ["half", "5.5", "-5", "²", "0", "1001"])
def test_what_are_no_percentages(text: str) -> None:
    with pytest.raises(ValidationError):
        PercentsField().clean(text)
    assert PercentsField().has_changed([], text)


def test_percentages_are_shown_as_they_are_written() -> None:
    shown: Any = PercentsField().prepare_value([50, 80])
    assert shown == "50, 80"
