"""Usage in the admin, to look at: every attempt with why it went where it went and what it cost, and sums by hour."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter

from kernel.money import format_usd
from providers.models import Price
from providers.price_rows import read_rows, to_price
from tenants.admin_base import ChangeList, ModelAdmin, ViewOnly, column
from tenants.models import Key, Tenant, User
from tenants.paging import KeysetAdmin
from usage.admin.change_lists import HourChangeList, RecordChangeList
from usage.admin.explanation import explain_cost
from usage.admin.filters import DaysFilter, ErrorCodeFilter, ModelFilter, ProviderFilter, RouteFilter
from usage.admin.ledger import call_ledger
from usage.admin.searches import FOUND_MAX, begins
from usage.models import UsageHour, UsageRecord

_ENDING_COLORS = {
    "completed": "success",
    "refused": "warning",
    "failed": "danger",
    "cut": "danger",
    "cancelled": "info",
}
_DIMENSIONS = (
    DaysFilter,
    ("tenant", AutocompleteSelectFilter),
    ("key", AutocompleteSelectFilter),
    RouteFilter,
    ProviderFilter,
    ModelFilter,
)


def find_attempts(term: str) -> list[str]:
    """Return the attempts whose id, or whose request's id, begins with a term; no more than a page can use."""
    by_attempt = UsageRecord.objects.filter(begins("attempt_id", term))
    by_request = UsageRecord.objects.filter(begins("request_id", term))
    found = [rows.order_by().values_list("pk", flat=True)[:FOUND_MAX] for rows in (by_attempt, by_request)]
    return [pk for pks in found for pk in pks]


def find_siblings(record: UsageRecord) -> list[UsageRecord]:
    """Return every attempt of the record's request, in order.

    Two callers may give their requests one id, hence the key. It is compared here: in the query it would lead SQLite
    to read every record of the key.
    """
    same_id = UsageRecord.objects.filter(request_id=record.request_id).order_by()[:FOUND_MAX]
    own = [other for other in same_id if other.key_id == record.key_id]
    return sorted(own, key=lambda other: (other.started_at, other.attempt_number))


@admin.register(UsageRecord)
class UsageRecordAdmin(KeysetAdmin, ViewOnly, ModelAdmin[UsageRecord]):
    """One row an attempt, newest first."""

    ordering = ("-started_at", "-attempt_id")
    list_display = ("when", "how", "where", "who", "tokens", "cost", "times")
    list_filter = (*_DIMENSIONS, ("ending", ChoicesDropdownFilter), ErrorCodeFilter, ("streamed", BooleanRadioFilter))
    list_before_template = "admin/usage/totals.html"
    change_form_outer_after_template = "admin/usage/record.html"
    search_fields = ("request_id",)
    search_help_text = "How a request id or an attempt id begins"
    actions = None
    fieldsets = (
        (
            "Call",
            {
                "fields": (
                    ("started", "operation", "streamed"),
                    ("request_id", "attempt_id"),
                    ("tenant_link", "key_link", "user_link"),
                )
            },
        ),
        (
            "Where it went",
            {"fields": (("route", "target"), ("provider", "model"), ("attempt_number", "chosen_because"))},
        ),
        (
            "How it ended",
            {
                "fields": (
                    ("ending", "status"),
                    ("error_code", "finish_reason"),
                    ("latency", "first_byte"),
                    ("input_tokens", "output_tokens"),
                    ("images", "characters"),
                    ("audio_ms", "searches"),
                    ("cost", "tokens_estimated"),
                )
            },
        ),
    )
    readonly_fields = ("started", "tenant_link", "key_link", "user_link", "latency", "first_byte", "cost")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RecordChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[UsageRecord], search_term: str
    ) -> tuple[QuerySet[UsageRecord], bool]:
        term = search_term.strip()
        return (queryset.filter(pk__in=find_attempts(term)) if term else queryset), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        record = self.get_object(request, unquote(object_id))
        explained = self._explain(record) if record and self.has_view_permission(request, record) else {}
        return super().change_view(request, object_id, form_url, {**explained, **(extra_context or {})})

    def _explain(self, record: UsageRecord) -> dict[str, Any]:
        prices = Price.objects.filter(pk__in=[record.price_id])
        price = prices.select_related("catalog", "tenant").first()
        return {
            "title": f"Attempt {record.attempt_number} of {record.request_id}",
            "attempts": find_siblings(record),
            "price": price,
            "price_url": _url_of(price),
            "cost_lines": [line for row in read_rows(prices) for line in explain_cost(record, to_price(row))],
            "cost_text": _usd(record),
            "ledger": call_ledger(request_id=record.request_id, key_id=record.key_id),
        }

    @column("started at")
    def started(self, record: UsageRecord) -> str:
        return f"{timezone.localtime(record.started_at):%d %b %Y %H:%M:%S.%f}"

    @column("started, request")
    def when(self, record: UsageRecord) -> str:
        return _two_lines(f"{timezone.localtime(record.started_at):%d %b %Y %H:%M:%S}", record.request_id)

    @column("ending")
    def how(self, record: UsageRecord) -> str:
        label = {"text": record.ending, "type": _ENDING_COLORS.get(record.ending), "size": "md"}
        status = "" if record.status in (None, 200) else str(record.status)
        return _two_lines(render_to_string("unfold/helpers/label.html", label), f"{status} {record.error_code}".strip())

    @column("route, target")
    def where(self, record: UsageRecord) -> str:
        return _two_lines(record.route, record.target)

    @column("tenant, key")
    def who(self, record: Any) -> str:
        return _two_lines(record.tenant_name, record.key_name)

    @column("took, first byte")
    def times(self, record: UsageRecord) -> str:
        return _two_lines(_ms(record.latency_us), _ms(record.first_byte_us))

    @column("tokens in, out")
    def tokens(self, record: UsageRecord) -> str:
        mark = "≈ " if record.tokens_estimated else ""
        return f"{mark}{record.input_tokens:,} → {record.output_tokens:,}"

    @column("cost")
    def cost(self, record: UsageRecord) -> str:
        return _usd(record)

    @column("latency")
    def latency(self, record: UsageRecord) -> str:
        return _ms(record.latency_us)

    @column("first byte")
    def first_byte(self, record: UsageRecord) -> str:
        return _ms(record.first_byte_us)

    @column("tenant")
    def tenant_link(self, record: UsageRecord) -> str:
        return _link_to(Tenant.objects.filter(pk=record.tenant_id).first(), record.tenant_id)

    @column("key")
    def key_link(self, record: UsageRecord) -> str:
        return _link_to(Key.objects.filter(pk=record.key_id).first(), record.key_id)

    @column("user")
    def user_link(self, record: UsageRecord) -> str:
        user = User.objects.filter(pk=record.user_id).first() if record.user_id else None
        return _link_to(user, record.user_id)


@admin.register(UsageHour)
class UsageHourAdmin(KeysetAdmin, ViewOnly, ModelAdmin[UsageHour]):
    """Sums by hour, newest first."""

    ordering = ("-hour", "-id")
    list_display = (
        "beginning",
        "who",
        "route",
        "provider",
        "model",
        "attempts",
        "errors",
        "tokens",
        "cost",
        "mean_latency",
    )
    list_display_links = None
    list_filter = _DIMENSIONS
    list_before_template = "admin/usage/totals.html"
    actions = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return HourChangeList

    @column("hour")
    def beginning(self, hour: UsageHour) -> str:
        return f"{timezone.localtime(hour.hour):%d %b %Y %H:%M}"

    @column("tenant, key")
    def who(self, hour: Any) -> str:
        return _two_lines(hour.tenant_name, hour.key_name)

    @column("tokens in, out")
    def tokens(self, hour: UsageHour) -> str:
        return f"{hour.input_tokens:,} → {hour.output_tokens:,}"

    @column("cost")
    def cost(self, hour: UsageHour) -> str:
        missing = f" + {hour.unpriced_attempts:,} unpriced" if hour.unpriced_attempts else ""
        return f"${format_usd(hour.cost_nanos)}{missing}"

    @column("mean latency")
    def mean_latency(self, hour: UsageHour) -> str:
        return _ms(hour.latency_us // hour.attempts if hour.attempts else None)


def _usd(record: UsageRecord) -> str:
    return "no price" if record.cost_nanos is None else f"${format_usd(record.cost_nanos)}"


def _two_lines(first: str, second: str) -> str:
    return format_html(
        '<span class="block whitespace-nowrap">{}</span>'
        '<span class="block text-font-subtle-light text-xs whitespace-nowrap dark:text-font-subtle-dark">{}</span>',
        first,
        second,
    )


def _ms(span_us: int | None) -> str:
    return "-" if span_us is None else f"{span_us / 1000:,.0f} ms" if span_us >= 10_000 else f"{span_us / 1000:.1f} ms"


def _url_of(row: Model | None) -> str:
    if row is None:
        return ""
    try:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])
    except NoReverseMatch:
        return ""


def _link_to(row: Model | None, pk: int | None) -> str:
    if row is None:
        return "-" if pk is None else f"deleted ({pk})"
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', _url_of(row), row)
