"""Subjects of rules: their names, who they can be, and rules in words."""

import pytest
from django.core.exceptions import ValidationError

from providers.models import Provider
from tenants.models import User
from tests.money_rows import add_budget, add_limit
from tests.usage_rows import add_tenant
from usage.models import Budget, Limit
from usage.rules.subjects import check_subject, describe_scope, name_subjects, owner_of, sole_subject

pytestmark = pytest.mark.django_db


def test_names() -> None:
    key = add_tenant()
    person = User.objects.create_user("ada", "ada@example.org")
    asked = ["", f"t{key.tenant_id}", f"u{person.pk}", f"k{key.pk}", "rsmart", "t999999", "x?"]
    assert list(name_subjects(asked).values()) == [
        "all together",
        "Acme",
        "ada",
        "app (Acme)",
        "smart",
        "deleted (999999)",
        "x?",
    ]


def test_the_only_subject_of_a_rule() -> None:
    key = add_tenant()
    assert sole_subject(add_budget("a")) == ""
    assert sole_subject(add_budget("b", per="tenant")) is None
    assert sole_subject(add_budget("c", per="tenant", tenant=key.tenant)) == f"t{key.tenant_id}"
    assert sole_subject(add_limit("d", per="route", route="smart")) == "rsmart"
    assert sole_subject(add_limit("e", per="route")) is None


def test_who_can_be_one() -> None:
    key = add_tenant()
    check_subject(Budget(per="tenant"), f"t{key.tenant_id}")
    check_subject(Budget(per="key"), f"k{key.pk}")
    check_subject(Budget(per="route"), "rsmart")
    check_subject(Budget(), "")
    for per, subject in [
        ("", "t1"),
        ("tenant", ""),
        ("tenant", f"k{key.pk}"),
        ("tenant", "t999999"),
        ("tenant", "tx"),
        ("key", "k"),
        ("user", "u1" + "0" * 30),
        ("user", "u999999"),
        ("route", "r"),
    ]:
        with pytest.raises(ValidationError) as caught:
            check_subject(Budget(per=per), subject)
        assert set(caught.value.message_dict) == {"subject"}


def test_owners() -> None:
    key = add_tenant()
    assert owner_of(add_budget("a", per="key"), f"k{key.pk}") == (key.tenant, key)
    assert owner_of(add_budget("b", per="tenant"), f"t{key.tenant_id}") == (key.tenant, None)
    assert owner_of(add_budget("c", tenant=key.tenant), "") == (key.tenant, None)
    assert owner_of(add_budget("d"), "") == (None, None)


def test_words() -> None:
    key = add_tenant()
    person = User.objects.create_user("ada", "ada@example.org")
    assert describe_scope(Budget()) == "every call"
    assert describe_scope(Budget(tenant=key.tenant, route="smart", per="key")) == (
        "every call of Acme on smart, each key for itself"
    )
    assert describe_scope(Budget(user=person, key=key)) == "every call by ada with app"
    assert describe_scope(Limit(provider=Provider(slug="acme"))) == "every call to acme"
