"""What is in use of limits, where one counter says it."""

import pytest

from providers.models import Provider
from tests.money_rows import add_limit, count
from tests.usage_rows import add_tenant
from usage.rules.limits import describe_value, read_uses, sole_counter
from usage.windows import HELD, Window

pytestmark = pytest.mark.django_db


def test_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    acme = Provider.objects.create(slug="acme", name="Acme", kind="mock")
    key = add_tenant()
    pace = add_limit(per="key", key=key)
    held = add_limit("held", measure="provider_calls", span="", value=9, provider=acme)
    apart, idle = add_limit("apart", per="key"), add_limit("idle")
    limits = [pace, held, apart, idle]
    assert read_uses(limits) == {}
    assert sole_counter(apart) is None
    count(monkeypatch, **{f"l{pace.pk}_k{key.pk}": (Window("sliding", 60.0), 7), f"l{held.pk}__p": (HELD, 2)})
    assert read_uses(limits) == {pace.pk: 7, held.pk: 2, idle.pk: 0}


def test_words() -> None:
    assert describe_value(add_limit(value=1_000)) == "1,000 requests a minute"
    assert describe_value(add_limit("b", measure="parallel_streams", span="", value=4)) == "4 streams at once"
