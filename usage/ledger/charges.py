"""How the budgets that money counts against are written in one text: `counter@slice counter@slice`.

A counter's name has no spaces, because no route's name has one; a slice is what follows its last `@`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from usage.records import Charge

__all__ = ["BudgetCounter", "read_charges", "read_counter", "write_charges"]


class BudgetCounter(NamedTuple):
    """What the name of a budget's counter says."""

    budget_id: int
    generation: int
    subject: str


def write_charges(charges: Iterable[Charge]) -> str:
    """Return the text of charges."""
    return " ".join([f"{charge.counter}@{charge.slice}" for charge in charges])


def read_charges(text: str) -> list[Charge]:
    """Return the charges of a text. Raises ValueError for what was never written as one."""
    parts = [part.rpartition("@") for part in text.split(" ")] if text else []
    return [Charge(counter, int(number)) for counter, _, number in parts]


def read_counter(counter: str) -> BudgetCounter:
    """Return whose counter that is. Raises ValueError where the name is no budget counter's."""
    budget, generation, subject = counter.split(".", 2)
    if not budget.startswith("b"):
        raise ValueError(f"{counter!r} is no budget's counter")
    return BudgetCounter(int(budget[1:]), int(generation), subject)
