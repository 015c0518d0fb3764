"""Floor 3: what was used and what is owed. Rules, admission, counters, journal, ledger, reports."""
