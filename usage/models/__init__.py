"""Usage's tables: what was used, what was spent, and the rules about both."""

from usage.models.ledger import BudgetBalance, Denial, LedgerEntry, RetentionHorizon
from usage.models.records import JournalPosition, UsageHour, UsageRecord
from usage.models.rules import Budget, BudgetAllowance, Limit, PolicyChange

__all__ = [
    "Budget",
    "BudgetAllowance",
    "BudgetBalance",
    "Denial",
    "JournalPosition",
    "LedgerEntry",
    "Limit",
    "PolicyChange",
    "RetentionHorizon",
    "UsageHour",
    "UsageRecord",
]
