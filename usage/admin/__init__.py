"""Usage, rules and ledger in the admin: what operators look at and act on."""

from usage.admin.ledger import DenialAdmin, LedgerEntryAdmin, PolicyChangeAdmin
from usage.admin.records import UsageHourAdmin, UsageRecordAdmin
from usage.admin.rules import BudgetAdmin, LimitAdmin

__all__ = [
    "BudgetAdmin",
    "DenialAdmin",
    "LedgerEntryAdmin",
    "LimitAdmin",
    "PolicyChangeAdmin",
    "UsageHourAdmin",
    "UsageRecordAdmin",
]
