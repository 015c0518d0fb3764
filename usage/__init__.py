"""Floor 3: what was used and what it cost. The journal, the records, the reports."""
