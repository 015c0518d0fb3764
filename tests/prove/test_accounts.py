"""The comparison of the two sets of books finds every kind of difference: else its silence would prove nothing."""

from decimal import Decimal
from typing import Any

import pytest

from providers.dialects.canonical import Usage
from providers.mock.bill import Line
from tests.prove.accounts import Accounts, Comparison, Post, Record, cost_nanos, usd

PRICES = {"plain": {"input_tokens": Decimal("1.5"), "output_tokens": Decimal(6)}}
USAGE = Usage(input_tokens=10, output_tokens=5)
COST = 45_000


class Books(Accounts):
    """Both sets of books, as a test has them."""

    def __init__(self, lines: list[Line], records: list[Record], posts: list[Post]) -> None:
        self._prices = PRICES
        self._lines, self._records, self._posts = lines, records, posts

    def lines(self, name: str) -> list[Line]:
        return self._lines

    def records(self, name: str) -> list[Record]:
        return self._records

    def posts(self, name: str) -> list[Post]:
        return self._posts


def line(**fields: Any) -> Line:
    usual: dict[str, Any] = {"attempt_id": "a", "request_id": "r", "model": "plain", "usage": USAGE}
    usual |= {"ended": "finished", "reported": True, "began_at_ns": 1, "ended_at_ns": 2}
    return Line(**(usual | fields))


def record(**fields: Any) -> Record:
    usual: dict[str, Any] = {"attempt_id": "a", "request_id": "r", "ending": "completed", "estimated": False}
    usual |= {"cost_nanos": COST, "streamed": False, "usage": USAGE}
    return Record(**(usual | fields))


def post(amount_nanos: int = COST, *, estimated: bool = False) -> Post:
    return Post("a", amount_nanos, estimated)


def compare(lines: list[Line], records: list[Record], posts: list[Post]) -> Comparison:
    return Books(lines, records, posts).compare("x")


def test_equal_books_agree() -> None:
    found = compare([line()], [record()], [post()])
    assert (found.differences, found.difference_nanos) == ([], 0)
    assert (found.admitted, found.billed, found.posted) == (1, 1, 1)
    assert (found.billed_nanos, found.posted_nanos) == (COST, COST)


@pytest.mark.parametrize(
    "books",
    [
        ([line()], [], []),  # lost
        ([line()], [record()], []),  # recorded, not posted
        ([line()], [], [post()]),  # posted, not recorded
        ([line(), line()], [record()], [post()]),  # sent twice
        ([line()], [record()], [post(), post()]),  # posted twice
        ([], [record()], [post()]),  # made up
        ([line(usage=Usage(input_tokens=10, output_tokens=6))], [record()], [post()]),  # other tokens
        ([line()], [record(cost_nanos=COST + 1)], [post(COST + 1)]),  # other money
        ([line()], [record()], [post(COST + 1)]),  # the ledger says other than the record
        ([line()], [record(usage=Usage(), cost_nanos=0)], [post(0)]),  # logged at nothing
        ([line()], [record(estimated=True)], [post(estimated=True)]),  # estimated without need
        ([line()], [record(estimated=True, ending="cut")], [post(estimated=True)]),
        ([line(reported=False)], [record(estimated=True, ending="cut")], [post()]),  # not marked in the ledger
        ([line()], [record(ending="lost")], [post()]),  # not marked at all
        ([line()], [record(estimated=True, ending="lost", cost_nanos=None)], [post(estimated=True)]),
    ],
)
def test_every_difference_is_found(books: tuple[list[Line], list[Record], list[Post]]) -> None:
    assert compare(*books).differences


@pytest.mark.parametrize(
    ("lines", "ending"),
    [
        ([line(ended="hung_up", reported=False)], "cancelled"),
        ([line(ended="broken", reported=False)], "cut"),
        ([line()], "lost"),
        ([], "lost"),  # it died before anything was sent
    ],
)
def test_estimates_are_entered_and_shown_apart(lines: list[Line], ending: str) -> None:
    found = compare(lines, [record(ending=ending, estimated=True)], [post(estimated=True)])
    assert found.differences == []
    assert (found.estimated, found.estimated_nanos, found.billed, found.posted) == (1, COST, 0, 0)


def test_what_cost_nothing_and_was_not_billed_agrees() -> None:
    found = compare([], [record(ending="refused", usage=Usage(), cost_nanos=0)], [post(0)])
    assert (found.differences, found.posted) == ([], 0)


def test_prices_are_applied_class_by_class() -> None:
    names = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "audio_input_tokens")
    names += ("output_tokens", "reasoning_tokens", "audio_output_tokens")
    price = {name: Decimal(10) ** number for number, name in enumerate(names)}
    usage = Usage(
        input_tokens=10, cached_input_tokens=2, cache_write_tokens=3, audio_input_tokens=4,
        output_tokens=9, reasoning_tokens=5, audio_output_tokens=3,
    )  # fmt: skip
    assert cost_nanos(usage, price) == 1_000 * 3_514_321
    assert cost_nanos(Usage(input_tokens=1), {"input_tokens": Decimal("0.0005")}) == 0  # half to even
    assert usd(1) == "$0.000000001"
