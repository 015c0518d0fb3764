"""Anthropic's Messages API, of 2023-06-01 and of 2026-10-21: requests, answers, streams, token counts and errors."""
