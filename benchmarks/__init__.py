"""Measure the gateway beside nginx, LiteLLM, Portkey and a bare pass-through: `python -m benchmarks`."""
