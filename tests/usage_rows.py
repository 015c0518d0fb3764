"""Usage in bulk: plausible records by the hundred thousand, made inside the database in seconds, and their hours."""

from datetime import datetime, timedelta

from django.db import connection

from providers.models import Price, PriceCatalog
from tenants import keys
from tenants.models import Key, Tenant
from usage.models import UsageHour, UsageRecord

_RECORDS = """
    INSERT INTO usage_usagerecord (
        attempt_id, request_id, started_at, tenant_id, key_id, user_id, operation, route, target, provider, model,
        attempt_number, chosen_because, streamed, ending, status, error_code, finish_reason, input_tokens,
        cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, audio_input_tokens,
        audio_output_tokens, images, tokens_estimated, cost_nanos, price_id, latency_us, first_byte_us)
    WITH RECURSIVE n(i) AS (SELECT CAST(0 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %(count)s)
    SELECT
        'att_' || {id}, 'req_' || {id}, {moment}, %(tenant)s, %(key)s, NULL, 'chat',
        CASE i %% 4 WHEN 0 THEN 'smart' ELSE 'fast' END,
        CASE i %% 4 WHEN 0 THEN 'mock/mock-large' ELSE 'mock/mock-small' END, 'mock',
        CASE i %% 4 WHEN 0 THEN 'mock-large' ELSE 'mock-small' END, 1, 'weight 1 of 1', i %% 2 = 0,
        CASE i %% 50 WHEN 0 THEN 'failed' ELSE 'completed' END, CASE i %% 50 WHEN 0 THEN 500 ELSE 200 END,
        CASE i %% 50 WHEN 0 THEN 'upstream_error' ELSE '' END, 'stop', 100 + i %% 900, 0, 0, 20 + i %% 300, 0, 0, 0,
        0, 1 = 0, (100 + i %% 900) * 1000 + (20 + i %% 300) * 2000, %(price)s,
        200000 + (i * 7919) %% 900000, 90000 + (i * 104729) %% 200000
    FROM n
"""
_HOURS = """
    INSERT INTO usage_usagehour (
        hour, tenant_id, key_id, route, provider, model, attempts, errors, input_tokens, output_tokens, cost_nanos,
        unpriced_attempts, latency_us)
    SELECT {hour}, tenant_id, key_id, route, provider, model, COUNT(*),
        SUM(CASE WHEN ending IN ('completed', 'cancelled') THEN 0 ELSE 1 END), SUM(input_tokens), SUM(output_tokens),
        SUM(cost_nanos), 0, SUM(latency_us)
    FROM usage_usagerecord WHERE tenant_id = %s GROUP BY 1, 2, 3, 4, 5, 6
"""
_DIALECTS = {
    "sqlite": {
        "id": "printf('%%s%%012d', %(mark)s, i)",
        "moment": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', %(first)s, '+' || (i * %(step_s)s) || ' seconds')",
        "hour": "strftime('%%Y-%%m-%%d %%H:00:00', started_at)",
    },
    "postgresql": {
        "id": "%(mark)s || lpad(i::text, 12, '0')",
        "moment": "%(first)s::timestamptz + i * %(step_s)s * interval '1 second'",
        "hour": "date_trunc('hour', started_at)",
    },
}


def add_tenant(name: str = "Acme") -> Key:
    """Return a key of a new tenant."""
    tenant = Tenant.objects.create(slug=name.lower(), name=name)
    key, _ = keys.issue(tenant=tenant, name="app")
    return key


def add_price(model: str = "mock-small") -> Price:
    """Return a price of one and two dollars a million tokens."""
    catalog, _ = PriceCatalog.objects.get_or_create(source="manual", version="")
    return Price.objects.create(catalog=catalog, vendor="mock", model=model, input_per_mtok=1, output_per_mtok=2)


def add_usage(key: Key, *, count: int, until: datetime, span: timedelta, price: Price | None = None) -> None:
    """Insert records evenly spread over a span that ends at a moment, and the hours they make."""
    dialect = _DIALECTS[connection.vendor]
    facts = {
        "count": count,
        "mark": f"{key.pk:04d}",
        "first": (until - span).strftime("%Y-%m-%d %H:%M:%S"),
        "step_s": span.total_seconds() / count,
        "tenant": key.tenant_id,
        "key": key.pk,
        "price": price.pk if price else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORDS.format(**dialect), facts)
        cursor.execute(_HOURS.format(**dialect).replace("%%", "%%"), [key.tenant_id])


def add_record(key: Key, *, record_class: type[UsageRecord] = UsageRecord, **fields: object) -> UsageRecord:
    """Insert one record; what the test doesn't say is ordinary. `record_class` may be that of an older migration."""
    usual: dict[str, object] = {
        "attempt_id": "att_1",
        "request_id": "req_1",
        "tenant_id": key.tenant_id,
        "key_id": key.pk,
        "operation": "chat",
        "route": "smart",
        "target": "mock/mock-small",
        "provider": "mock",
        "model": "mock-small",
        "ending": "completed",
        "status": 200,
        "latency_us": 250_000,
    }
    return record_class._default_manager.create(**(usual | fields))


def add_hour(key: Key, hour: datetime, **fields: object) -> UsageHour:
    """Insert the sums of one hour."""
    usual: dict[str, object] = {"route": "smart", "provider": "mock", "model": "mock-small", "attempts": 1}
    return UsageHour.objects.create(hour=hour, tenant_id=key.tenant_id, key_id=key.pk, **(usual | fields))
