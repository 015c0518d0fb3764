"""JSON becomes the values of rows, exactly or not at all."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from kernel.errors import InvalidRequest
from tests.usage_rows import add_tenant
from usage.rest.rule_json import ACTION_FIELDS, BUDGET_FIELDS, LIMIT_FIELDS, as_row_fields, read_fields, refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "nanos"), [("0.000000001", 1), (0.1, 100_000_000), (12, 12 * 10**9), ("1000000000", 10**18)]
)
def test_dollars_are_exact(given: Any, nanos: int) -> None:
    assert as_row_fields(read_fields({"limit_usd": given, "reason": "r"}, BUDGET_FIELDS)) == {"limit_nanos": nanos}


def test_names_become_rows() -> None:
    key = add_tenant()
    read = read_fields({"tenant": "acme", "key": key.pk, "user": None}, BUDGET_FIELDS)
    assert read == {"tenant": key.tenant, "key": key, "user": None}


@pytest.mark.parametrize(
    "given",
    [
        {"limit_usd": "-1"},
        {"limit_usd": "0.0000000001"},
        {"limit_usd": float("nan")},
        {"limit_usd": True},
        {"limit_usd": None},
        {"limit_usd": []},
        {"name": 7},
        {"name": "a\0b"},
        {"hard": "yes"},
        {"length": 1.5},
        {"length": True},
        {"tenant": "nobody"},
        {"tenant": 1},
        {"user": "nobody"},
        {"key": 999_999},
        {"key": 2**70},
        {"key": "1"},
        {"colour": "red"},
        {"alert_percents": None},
        {"reason": "x" * 501},
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_fields(given, BUDGET_FIELDS)
    assert caught.value.param == next(iter(given))


def test_more_that_is_wrong() -> None:
    for body, fields in [
        ([], BUDGET_FIELDS),
        ("", LIMIT_FIELDS),
        ({"provider": "nobody"}, LIMIT_FIELDS),
        ({"until": "soon"}, ACTION_FIELDS["override"]),
    ]:
        with pytest.raises(InvalidRequest):
            read_fields(body, fields)
    assert read_fields({"amount_usd": "-0.5", "reason": "r"}, ACTION_FIELDS["adjust"])["amount_usd"] == -500_000_000


def test_refusals_of_rows_are_told_by_the_names_of_the_wire() -> None:
    told = refused(ValidationError({"limit_nanos": ["Too much."]}))
    assert (told.param, told.message) == ("limit_usd", "Too much.")
    assert refused(ValidationError({"__all__": ["No."]})).param is None
    assert refused(ValidationError("No.")).message == "No."
