"""Form fields for the JSON lists of names in the models: one name a line, or a box to tick for each."""

from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget


class LinesField(forms.CharField):
    """A list of names, edited one a line; empty lines and repetitions don't count."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("widget", UnfoldAdminTextareaWidget(attrs={"rows": 3}))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(name) for name in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = (line.strip() for line in str(value or "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class BoxesField(forms.MultipleChoiceField):
    """A list out of a few known values, each with a box to tick."""

    def __init__(self, *, choices: Sequence[tuple[str, Any]], **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminCheckboxSelectMultipleWidget())
        super().__init__(choices=choices, **kwargs)
