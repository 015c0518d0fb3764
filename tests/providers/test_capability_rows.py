"""What the rows say of models that people use."""

import pytest

from providers.capabilities import capabilities_of
from providers.dialects.canonical import Feature


@pytest.mark.parametrize(
    ("kind", "model", "can", "can_not"),
    [
        ("openai", "gpt-5.1", {Feature.REASONING, Feature.IMAGE_URLS}, {Feature.SAMPLING, Feature.STOP}),
        ("openai", "gpt-5-chat-latest", {Feature.SAMPLING, Feature.STOP}, {Feature.REASONING}),
        ("openai", "o4-mini", {Feature.REASONING, Feature.IMAGES}, {Feature.LOGPROBS, Feature.PENALTIES}),
        ("openai", "o3-mini", {Feature.TOOLS}, {Feature.IMAGES}),
        ("openai", "gpt-4o", {Feature.SAMPLING, Feature.LOGPROBS, Feature.CHOICES}, {Feature.AUDIO, Feature.PREFILL}),
        ("openai", "ft:gpt-4o:acme", {Feature.SAMPLING}, {Feature.REASONING}),
        ("openai", "gpt-4o-audio-preview", {Feature.AUDIO}, {Feature.IMAGES}),
        ("openai", "gpt-3.5-turbo", {Feature.JSON_OBJECT}, {Feature.IMAGES, Feature.JSON_SCHEMA}),
        ("azure", "my-deployment", {Feature.SAMPLING, Feature.STOP}, {Feature.VIDEO}),
        ("anthropic", "claude-opus-5-5", {Feature.JSON_SCHEMA}, {Feature.SAMPLING, Feature.PREFILL, Feature.SEED}),
        ("anthropic", "claude-opus-4-6", {Feature.SAMPLING}, {Feature.PREFILL, Feature.JSON_OBJECT}),
        ("anthropic", "claude-haiku-4-5-20251001", {Feature.SAMPLING, Feature.PREFILL}, {Feature.CHOICES}),
        ("anthropic", "claude-3-haiku-20240307", {Feature.PREFILL}, {Feature.REASONING, Feature.DOCUMENTS}),
        ("gemini", "gemini-3.7-flash", {Feature.SIGNED_THINKING, Feature.IMAGE_URLS}, {Feature.PREFILL}),
        ("gemini", "gemini-2.5-pro", {Feature.REASONING, Feature.SEED}, {Feature.SIGNED_THINKING}),
        ("gemini", "gemini-2.0-flash", {Feature.IMAGES}, {Feature.REASONING, Feature.IMAGE_URLS}),
        ("vertex", "claude-haiku-4-5@20251001", {Feature.IMAGES, Feature.PREFILL}, {Feature.IMAGE_URLS}),
        ("vertex", "gemini-3.7-flash", {Feature.SIGNED_THINKING}, set()),
        ("bedrock", "us.anthropic.claude-haiku-4-5-v1:0", {Feature.PREFILL}, {Feature.IMAGE_URLS, Feature.SEED}),
        ("bedrock", "amazon.nova-pro-v1:0", {Feature.VIDEO, Feature.TOOLS}, {Feature.REASONING, Feature.CHOICES}),
        ("bedrock", "mistral.mistral-7b-instruct-v0:2", set(), {Feature.SYSTEM, Feature.TOOLS}),
        ("deepseek", "deepseek-reasoner", {Feature.JSON_OBJECT}, {Feature.SAMPLING, Feature.IMAGES}),
        ("deepseek", "deepseek-chat", {Feature.SAMPLING}, {Feature.JSON_SCHEMA}),
        ("groq", "llama-3.3-70b-versatile", {Feature.SEED}, {Feature.LOGPROBS, Feature.CHOICES}),
        ("xai", "grok-4.7", {Feature.REASONING}, {Feature.STOP}),
    ],
)
def test_models(kind: str, model: str, can: set[Feature], can_not: set[Feature]) -> None:
    features = capabilities_of(kind, model).features
    assert can <= features
    assert not can_not & features


@pytest.mark.parametrize(
    ("kind", "model", "most"),
    [
        ("openai", "gpt-4o-mini", 16_384),
        ("openai", "gpt-5.6-luna", 128_000),
        ("anthropic", "claude-opus-4-8", 128_000),
        ("anthropic", "claude-opus-4-1-20250805", 32_000),
        ("anthropic", "claude-sonnet-4-5", 64_000),
        ("bedrock", "eu.anthropic.claude-3-5-sonnet-20240620-v1:0", 8_192),
        ("gemini", "gemini-2.5-flash", 65_536),
        ("openai_compatible", "x", None),
    ],
)
def test_how_much_they_write(kind: str, model: str, most: int | None) -> None:
    assert capabilities_of(kind, model).max_output_tokens == most
