"""Which family an id belongs to."""

import pytest

from providers.dialects.bedrock_converse.families import is_claude, is_gpt, is_nova, is_nova_reasoner, thinks_adaptively


@pytest.mark.parametrize(
    ("model", "claude", "nova", "reasoner", "gpt"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", True, False, False, False),
        ("eu.amazon.nova-pro-v1:0", False, True, False, False),
        ("amazon.nova-2-lite-v1:0", False, True, True, False),
        ("openai.gpt-oss-20b-1:0", False, False, False, True),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", False, False, False, False),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2", True, False, False, False),
    ],
)
def test_families(model: str, claude: bool, nova: bool, reasoner: bool, gpt: bool) -> None:
    assert (is_claude(model), is_nova(model), is_nova_reasoner(model), is_gpt(model)) == (claude, nova, reasoner, gpt)


@pytest.mark.parametrize(
    ("model", "adaptively"),
    [
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", False),
        ("us.anthropic.claude-opus-4-20250514-v1:0", False),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", False),
        ("anthropic.claude-opus-4-6-v1", True),
        ("anthropic.claude-opus-4-8", True),
        ("anthropic.claude-sonnet-5", True),
        ("global.anthropic.claude-haiku-5-5-v1:0", True),
        ("anthropic.claude-mythos-preview", True),
    ],
)
def test_who_takes_an_effort(model: str, adaptively: bool) -> None:
    assert thinks_adaptively(model) is adaptively
