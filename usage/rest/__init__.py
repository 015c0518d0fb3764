"""Usage, rules and ledger over the wire, under `/v0/management/`."""
