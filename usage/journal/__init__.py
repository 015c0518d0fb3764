"""What this worker has begun and ended, on its own disk before any database hears of it."""
