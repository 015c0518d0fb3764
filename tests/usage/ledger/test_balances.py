"""Balances as the counters hear of them: what windows still hold, by worker, in the right calendar."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import transaction

from tenants.models import Tenant
from usage.counters.base import ADJUSTMENTS, Contribution
from usage.ledger import posting
from usage.ledger.balances import contributions_of, current_contributions, forget_carried, spent_now
from usage.models import Budget, BudgetBalance
from usage.records import AttemptRecord, Charge
from usage.windows import LIFETIME, Window

Make = Callable[..., AttemptRecord]
NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)
NOW_S = NOW.timestamp()

pytestmark = pytest.mark.usefixtures("database")


def budget(period: str = "lifetime", **fields: object) -> Budget:
    return Budget.objects.create(name=f"{period} {fields}", limit_nanos=10**9, period=period, **fields)


def post(make_record: Make, *charges: Charge, worker: str = "w1", cost_nanos: int = 1_000) -> None:
    number = sum(BudgetBalance.objects.values_list("posts", flat=True)) + 1
    with transaction.atomic():
        posting.write([make_record(number, charges=charges, cost_nanos=cost_nanos)], worker=worker)


def test_every_worker_is_told_apart(make_record: Make) -> None:
    counter = f"b{budget().pk}.0."
    post(make_record, Charge(counter, 0))
    post(make_record, Charge(counter, 0), worker="w2", cost_nanos=5)
    told = sorted(current_contributions(NOW_S), key=lambda item: item[0])
    assert told == [("w1", Contribution(counter, LIFETIME, 0, 1_000)), ("w2", Contribution(counter, LIFETIME, 0, 5))]
    assert contributions_of("w2", NOW_S) == [Contribution(counter, LIFETIME, 0, 5)]
    assert contributions_of("w3", NOW_S) == []
    assert [(one.counter, one.nanos) for one in spent_now(NOW_S)] == [(counter, 1_005)]


def test_corrections_are_told_as_a_worker(make_record: Make) -> None:
    counter = f"b{budget().pk}.0."
    post(make_record, Charge(counter, 0))
    posting.adjust(
        tenant=None, key=None, amount_nanos=-400, charges=(Charge(counter, 0),), reason="refund", actor_name="ada"
    )
    assert contributions_of(ADJUSTMENTS, NOW_S)[0].amount == -400
    assert [one.nanos for one in spent_now(NOW_S)] == [600]


def test_what_a_reset_left_behind_is_over(make_record: Make) -> None:
    row = budget(generation=2)
    post(make_record, Charge(f"b{row.pk}.1.", 0), Charge(f"b{row.pk}.2.", 0))
    assert [told.counter for _, told in current_contributions(NOW_S)] == [f"b{row.pk}.2."]


def test_a_budget_that_is_gone_has_nothing(make_record: Make) -> None:
    row = budget()
    post(make_record, Charge(f"b{row.pk}.0.", 0))
    row.delete()
    assert list(current_contributions(NOW_S)) == []


def test_sliding_windows_hold_their_newest_slices(make_record: Make) -> None:
    row = budget("rolling_hours", length=2)
    window = Window("sliding", 7_200.0)
    newest, counter = window.slice_at(NOW_S), f"b{row.pk}.0."
    for number in (newest - 65, newest - 64, newest):
        post(make_record, Charge(counter, number))
    assert sorted(told.slice for _, told in current_contributions(NOW_S)) == [newest - 64, newest]
    assert [one.nanos for one in spent_now(NOW_S)] == [2_000]


def test_a_tenants_day_is_its_own(make_record: Make) -> None:
    apia = Tenant.objects.create(slug="apia", name="Apia", time_zone="Pacific/Apia")
    honolulu = Tenant.objects.create(slug="hono", name="Honolulu", time_zone="Pacific/Honolulu")
    row = budget("day", per="tenant")
    windows = {one.pk: Window("day", time_zone=one.time_zone) for one in (apia, honolulu)}
    days = {pk: window.slice_at(NOW_S) for pk, window in windows.items()}
    assert days[apia.pk] == days[honolulu.pk] + 1
    for pk in windows:
        post(make_record, Charge(f"b{row.pk}.0.t{pk}", days[honolulu.pk]), cost_nanos=7)
        post(make_record, Charge(f"b{row.pk}.0.t{pk}", days[pk]), cost_nanos=9)
    assert {told.window for _, told in current_contributions(NOW_S)} == set(windows.values())
    assert {(one.counter, one.nanos) for one in spent_now(NOW_S)} == {
        (f"b{row.pk}.0.t{apia.pk}", 9),
        (f"b{row.pk}.0.t{honolulu.pk}", 16),
    }


def test_one_tenants_budget_follows_its_calendar(make_record: Make) -> None:
    apia = Tenant.objects.create(slug="apia", name="Apia", time_zone="Pacific/Apia")
    row = budget("month", tenant=apia)
    window = Window("month", time_zone="Pacific/Apia")
    post(make_record, Charge(f"b{row.pk}.0.", window.slice_at(NOW_S)))
    assert [told.window for _, told in current_contributions(NOW_S)] == [window]


def test_keys_follow_their_tenants_and_what_is_gone_follows_utc(make_record: Make) -> None:
    row = budget("week", per="key")
    window = Window("week")
    post(make_record, Charge(f"b{row.pk}.0.k999", window.slice_at(NOW_S)))
    assert [told.window for _, told in current_contributions(NOW_S)] == [window]


def test_only_what_is_over_and_wholly_carried_is_forgotten(make_record: Make) -> None:
    row = budget("day", time_zone="UTC")
    counter, today = f"b{row.pk}.0.", Window("day").slice_at(NOW_S)
    for number in (today, today - 1, today - 2):
        post(make_record, Charge(counter, number))
    BudgetBalance.objects.exclude(slice=today - 1).update(carried_nanos=1_000, carried_posts=1)
    assert forget_carried(NOW_S) == 1
    assert sorted(BudgetBalance.objects.values_list("slice", flat=True)) == [today - 1, today]
    row.delete()
    assert forget_carried(NOW_S) == 1
