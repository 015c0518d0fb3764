"""The proof that money is exact: `python -m tests.prove`. What it tries and what it found: docs/proof.md."""
