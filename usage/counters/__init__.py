"""Atomic counters over windows: one contract, one backend in the process, one in Redis."""
