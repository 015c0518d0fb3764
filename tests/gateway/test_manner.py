"""Whose words a request is answered in: told by its path, and where that is everybody's, by its headers."""

import pytest

from gateway.manner import ANTHROPIC, GEMINI, OPENAI, Manner, manner_of
from gateway.messages import Incoming


@pytest.mark.parametrize(
    ("method", "path", "headers", "query", "manner"),
    [
        ("POST", "/v1/chat/completions", {b"anthropic-version": b"2023-06-01"}, "", OPENAI),
        ("POST", "/v1/messages", {}, "", ANTHROPIC),
        ("POST", "/v1/messages/count_tokens", {}, "", ANTHROPIC),
        ("POST", "/v1beta/models/m:generateContent", {}, "", GEMINI),
        ("POST", "/v1/models/m:generateContent", {}, "", GEMINI),
        ("GET", "/v1beta/models", {}, "", GEMINI),
        ("GET", "/v1/models", {}, "", OPENAI),
        ("GET", "/v1/models", {b"anthropic-version": b"2023-06-01"}, "", ANTHROPIC),
        ("GET", "/v1/models/m", {b"x-goog-api-key": b"k"}, "", GEMINI),
        ("GET", "/v1/models", {}, "key=k", GEMINI),
        ("GET", "/nowhere", {}, "", OPENAI),
    ],
)
def test_whose_words(method: str, path: str, headers: dict[bytes, bytes], query: str, manner: Manner) -> None:
    assert manner_of(Incoming(method, path, headers, query=query)) is manner
