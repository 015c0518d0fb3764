"""One answer and one bill for a request that is sent twice with the same `Idempotency-Key`."""
