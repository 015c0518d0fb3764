"""Budgets and limits as JSON, and JSON as the values of their rows. Amounts are dollars, exact, as text or number."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from kernel.errors import InvalidRequest
from kernel.money import format_usd
from providers.models import Provider
from tenants.models import Key, Tenant, User
from usage.models import Budget, BudgetAllowance, Limit
from usage.models.rules import LARGEST_NANOS
from usage.rest.pages import read_moment
from usage.rules.forms import UsdField
from usage.rules.standings import Standing

RowT = TypeVar("RowT", bound=Model)
Readers = Mapping[str, Callable[[Any, str], Any]]
_LARGEST_USD = LARGEST_NANOS // 10**9
_SMALLEST_PK, _LARGEST_PK = 1, 2**63 - 1
# What a field of a row is called over the wire, where that differs.
_ROW_NAMES = {"limit_usd": "limit_nanos"}
_WIRE_NAMES = {"limit_nanos": "limit_usd", "limit": "limit_usd", "amount": "amount_usd"}


def read_fields(body: Any, readers: Readers) -> dict[str, Any]:
    """Return what a body says, by its own names. Raises InvalidRequest naming what is wrong."""
    if not isinstance(body, Mapping):
        raise InvalidRequest("The body must be a JSON object.")
    values = {}
    for name, given in body.items():
        if name not in readers:
            raise InvalidRequest(f"There is no field {name!r}.", param=name, code="unknown_parameter")
        values[name] = readers[name](given, name)
    return values


def as_row_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was read of a rule by the names of the row's fields; the reason is none of them."""
    return {_ROW_NAMES.get(name, name): value for name, value in values.items() if name != "reason"}


def refused(error: ValidationError) -> InvalidRequest:
    """Return what a caller is told about the first thing that is wrong."""
    if hasattr(error, "error_dict"):
        field, messages = next(iter(error.message_dict.items()))
        param = None if field == "__all__" else _WIRE_NAMES.get(field, field)
        return InvalidRequest(" ".join(messages), param=param)
    return InvalidRequest(" ".join(error.messages))


def render_budget(budget: Budget) -> dict[str, Any]:
    """Return a budget with its overrides that were not ended."""
    return {
        "object": "budget",
        **_render_rule(budget),
        **_money("limit", budget.limit_nanos),
        "period": budget.period,
        "length": budget.length,
        "time_zone": budget.time_zone,
        "hard": budget.hard,
        "alert_percents": budget.alert_percents,
        "generation": budget.generation,
        "overrides": [_render_allowance(allowance) for allowance in budget.allowances.order_by("-pk")[:100]],
    }


def render_limit(limit: Limit, *, used: int | None) -> dict[str, Any]:
    """Return a limit; `used` is null where it has many counters, or these can't be asked."""
    return {
        "object": "limit",
        **_render_rule(limit),
        "measure": limit.measure,
        "span": limit.span,
        "value": limit.value,
        "provider": limit.provider.slug if limit.provider else None,
        "used": used,
    }


def render_standing(line: Standing) -> dict[str, Any]:
    """Return one subject of a budget."""
    return {
        "subject": line.subject,
        "name": line.name,
        **_money("limit", line.limit_nanos),
        **_money("spent", line.spent_nanos),
        **_money("reserved", line.reserved_nanos),
        **_money("left", line.left_nanos),
        "percent": round(line.percent, 2),
        "resets_at": _render_moment(line.resets_at),
        "overridden": line.overridden,
        "override_until": _render_moment(line.override_until),
    }


def _render_rule(rule: Budget | Limit) -> dict[str, Any]:
    return {
        "id": rule.pk,
        "name": rule.name,
        "enabled": rule.enabled,
        "tenant": rule.tenant.slug if rule.tenant else None,
        "user": rule.user.username if rule.user else None,
        "key": rule.key_id,
        "route": rule.route,
        "per": rule.per,
        "created_at": _render_moment(rule.created_at),
        "updated_at": _render_moment(rule.updated_at),
    }


def _render_allowance(allowance: BudgetAllowance) -> dict[str, Any]:
    return {
        "subject": allowance.subject,
        **_money("limit", allowance.limit_nanos),
        "until": _render_moment(allowance.until),
        "reason": allowance.reason,
    }


def _money(name: str, nanos: int | None) -> dict[str, Any]:
    return {f"{name}_nanos": nanos, f"{name}_usd": None if nanos is None else format_usd(nanos)}


def _render_moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


# What comes in


def _text(value: Any, param: str) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise InvalidRequest(f"{param} is a text.", param=param)
    return value


def _truth(value: Any, param: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"{param} is true or false.", param=param)
    return value


def _whole(value: Any, param: str) -> int:
    if type(value) is not int:
        raise InvalidRequest(f"{param} is a whole number.", param=param)
    return value


def _whole_or_none(value: Any, param: str) -> int | None:
    return None if value is None else _whole(value, param)


def _reason(value: Any, param: str) -> str:
    reason = _text(value, param)
    if len(reason) > 500:
        raise InvalidRequest("A reason has no more than 500 characters.", param=param)
    return reason


def _list(value: Any, param: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidRequest(f"{param} is a list.", param=param)
    return value


def _usd(value: Any, param: str) -> int:
    return _amount(value, param, UsdField())


def _usd_of_any_sign(value: Any, param: str) -> int:
    return _amount(value, param, UsdField(min_value=-_LARGEST_USD))


def _amount(value: Any, param: str, field: UsdField) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidRequest(f"{param} is an amount of dollars.", param=param)
    try:
        return int(field.clean(str(value)))
    except ValidationError as error:
        raise InvalidRequest(f"{param}: {' '.join(error.messages)}", param=param) from error


def _moment_or_none(value: Any, param: str) -> datetime | None:
    return None if value is None else read_moment(value, param)


def _tenant(value: Any, param: str) -> Tenant | None:
    if value is None:
        return None
    found: Tenant | None = Tenant.objects.filter(slug=_text(value, param)).first()
    return _found(found, value, param)


def _user(value: Any, param: str) -> User | None:
    if value is None:
        return None
    return _found(User.objects.filter(username=_text(value, param)).first(), value, param)


def _key(value: Any, param: str) -> Key | None:
    if value is None:
        return None
    number = _whole(value, param)
    if not _SMALLEST_PK <= number <= _LARGEST_PK:
        raise InvalidRequest(f"There is no key {value!r}.", param=param)
    return _found(Key.objects.filter(pk=number).select_related("tenant").first(), value, param)


def _provider(value: Any, param: str) -> Provider | None:
    if value is None:
        return None
    found: Provider | None = Provider.objects.filter(slug=_text(value, param)).first()
    return _found(found, value, param)


def _found(row: RowT | None, value: Any, param: str) -> RowT:
    if row is None:
        raise InvalidRequest(f"There is no {param} {value!r}.", param=param)
    return row


_RULE_FIELDS: Readers = {
    "name": _text,
    "enabled": _truth,
    "tenant": _tenant,
    "user": _user,
    "key": _key,
    "route": _text,
    "per": _text,
    "reason": _reason,
}
BUDGET_FIELDS: Readers = {
    **_RULE_FIELDS,
    "limit_usd": _usd,
    "period": _text,
    "length": _whole_or_none,
    "time_zone": _text,
    "hard": _truth,
    "alert_percents": _list,
}
LIMIT_FIELDS: Readers = {**_RULE_FIELDS, "measure": _text, "span": _text, "value": _whole, "provider": _provider}
ACTION_FIELDS: Mapping[str, Readers] = {
    "raise": {"limit_usd": _usd, "reason": _reason},
    "reset": {"reason": _reason},
    "override": {"subject": _text, "limit_usd": _usd, "until": _moment_or_none, "reason": _reason},
    "end-override": {"subject": _text, "reason": _reason},
    "adjust": {"subject": _text, "amount_usd": _usd_of_any_sign, "reason": _reason},
}
