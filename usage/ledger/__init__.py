"""The journals' way into the database: records, sums and money, and the proof that they agree."""
