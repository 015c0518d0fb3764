"""How lists of usage are narrowed. Most filters fit records and hours alike, so that totals can come from hours."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.forms import DropdownForm, RangeDateForm, SearchForm
from unfold.utils import parse_date_str

from providers.models import Provider
from usage.models import UsageHour

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

_FIELD_TEMPLATE = "unfold/filters/filters_field.html"


class TextFilter(SimpleListFilter):
    """Rows whose text is exactly what was typed."""

    template = _FIELD_TEMPLATE

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        return queryset.filter(**{str(self.parameter_name): value}) if value else queryset

    def choices(self, changelist: Any) -> Iterator[Any]:
        label, data = f"By {self.title}", {self.parameter_name: self.value()}
        yield {"form": SearchForm(name=self.parameter_name, label=label, data=data)}


class RouteFilter(TextFilter):
    """Usage of one route."""

    title = "route"
    parameter_name = "route"


class ModelFilter(TextFilter):
    """Usage of one upstream model."""

    title = "model"
    parameter_name = "model"


class ErrorCodeFilter(TextFilter):
    """Attempts that ended with one error."""

    title = "error code"
    parameter_name = "error_code"


class ProviderFilter(TextFilter):
    """Usage of one provider, of those that are configured."""

    title = "provider"
    parameter_name = "provider"

    def choices(self, changelist: Any) -> Iterator[Any]:
        slugs = Provider.objects.order_by("slug").values_list("slug", flat=True)[:500]
        choices = [("", "All"), *((slug, slug) for slug in slugs)]
        data = {self.parameter_name: self.value()}
        yield {"form": DropdownForm(name=self.parameter_name, label="By provider", choices=choices, data=data)}


class DaysFilter(SimpleListFilter):
    """Usage from one day to another, both included."""

    title = "day"
    parameter_name = "day"
    template = "unfold/filters/filters_date_range.html"
    form_class = RangeDateForm

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: "ModelAdmin[Any]"
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self._request = request
        for name in self.expected_parameters():
            if name and name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def expected_parameters(self) -> list[str | None]:
        return ["day_from", "day_to"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    @property
    def since(self) -> datetime | None:
        """Return the beginning of the first day."""
        return self._midnight("day_from", days=0)

    @property
    def until(self) -> datetime | None:
        """Return the end of the last day."""
        return self._midnight("day_to", days=1)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        column = "hour" if queryset.model is UsageHour else "started_at"
        bounds = {f"{column}__gte": self.since, f"{column}__lt": self.until}
        return queryset.filter(**{name: value for name, value in bounds.items() if value})

    def choices(self, changelist: Any) -> Iterator[Any]:
        data = {name: self.used_parameters.get(name) for name in ("day_from", "day_to")}
        form = RangeDateForm(name=self.parameter_name, data=data)
        yield {"request": self._request, "parameter_name": self.parameter_name, "form": form}

    def _midnight(self, parameter: str, *, days: int) -> datetime | None:
        day = parse_date_str(str(self.used_parameters.get(parameter) or ""))
        if day is None:
            return None
        return timezone.make_aware(datetime.combine(day + timedelta(days=days), datetime.min.time()))
