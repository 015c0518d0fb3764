"""The admin's menu: what runs a gateway, in the order of the domain; nobody is shown what they may not open."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

_GROUPS = (
    (
        "Tenants",
        (
            ("Tenants", "domain", "tenants", "tenant"),
            ("Users", "person", "tenants", "user"),
            ("Memberships", "group", "tenants", "membership"),
            ("Keys", "key", "tenants", "key"),
            ("Staff groups", "admin_panel_settings", "auth", "group"),
        ),
    ),
    (
        "Upstreams",
        (
            ("Providers", "cloud", "providers", "provider"),
            ("Prices", "sell", "providers", "price"),
            ("Price catalogs", "library_books", "providers", "pricecatalog"),
        ),
    ),
    ("Routing", (("Routes", "alt_route", "routing", "route"),)),
    (
        "Money",
        (
            ("Budgets", "savings", "usage", "budget"),
            ("Limits", "speed", "usage", "limit"),
            ("Ledger", "account_balance", "usage", "ledgerentry"),
            ("Denials", "block", "usage", "denial"),
            ("Changes", "history", "usage", "policychange"),
        ),
    ),
    (
        "Usage",
        (
            ("Attempts", "receipt_long", "usage", "usagerecord"),
            ("By hour", "bar_chart", "usage", "usagehour"),
        ),
    ),
    (
        "Alerts",
        (
            ("Alerts", "notifications", "monitoring", "alert"),
            ("Messages", "outgoing_mail", "monitoring", "alertdelivery"),
            ("Channels", "campaign", "monitoring", "alertchannel"),
        ),
    ),
)


def build_menu(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the menu that hold something for this person."""
    home = {"title": "Dashboard", "icon": "dashboard", "link": reverse("admin:index")}
    groups = [{"title": title, "separator": True, "items": _items(request, rows)} for title, rows in _GROUPS]
    return [{"items": [home]}, *(group for group in groups if group["items"])]


def _items(request: HttpRequest, rows: tuple[tuple[str, str, str, str], ...]) -> list[dict[str, Any]]:
    return [
        {"title": title, "icon": icon, "link": reverse(f"admin:{app}_{model}_changelist")}
        for title, icon, app, model in rows
        if _may_see(request, app, model)
    ]


def _may_see(request: HttpRequest, app: str, model: str) -> bool:
    return any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change"))
