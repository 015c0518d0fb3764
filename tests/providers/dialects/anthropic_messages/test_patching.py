"""A body that passes changes only where it must."""

import json
from typing import Any

import pytest

from providers.dialects.anthropic_messages.head import decode_count_head, decode_head
from providers.dialects.anthropic_messages.patching import patch, patch_count
from providers.dialects.canonical import Capabilities
from providers.dialects.codec import Upstream

CHAT = b'{"model": "m", "max_tokens": 3000, "odd": 1.0, "messages": [{"role": "user", "content": "hi"}]}'


def _patch(given: bytes, *, once: bool = False, **upstream: Any) -> bytes:
    fields: dict[str, Any] = {"model": "m", "capabilities": Capabilities()} | upstream
    return patch(given, Upstream(**fields), head=decode_head(given), once=once)


def test_nothing_to_change_gives_the_same_bytes() -> None:
    assert _patch(CHAT) is CHAT
    assert _patch(CHAT, cap=3000) is CHAT


def test_model_and_cap_change_and_all_else_keeps_its_bytes() -> None:
    assert _patch(CHAT, model="claude", cap=9) == (
        b'{"model":"claude","max_tokens":9,"odd":1.0,"messages":[{"role": "user", "content": "hi"}]}'
    )


def test_the_gateway_s_own_field_goes_no_further() -> None:
    assert b"max_cost_usd" not in _patch(CHAT.replace(b'"odd"', b'"max_cost_usd"'))


def test_a_field_that_stood_twice_stands_once() -> None:
    twice = CHAT.replace(b'{"model": "m"', b'{"model": "dear", "model": "m"')
    assert _patch(twice) is twice
    assert _patch(twice, once=True).count(b"model") == 1


@pytest.mark.parametrize(
    ("cap", "thinking"),
    [
        (2500, {"type": "enabled", "budget_tokens": 2000, "display": "omitted"}),
        (2000, {"type": "enabled", "budget_tokens": 1999, "display": "omitted"}),
        (1024, {"type": "disabled"}),
    ],
)
def test_a_lower_cap_lowers_the_budget_of_thinking(cap: int, thinking: dict[str, Any]) -> None:
    wish = b'"thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"}'
    assert json.loads(_patch(CHAT.replace(b'"odd": 1.0', wish), cap=cap))["thinking"] == thinking


def test_clouds_have_the_model_in_the_path() -> None:
    streamed = CHAT.replace(b'"odd": 1.0', b'"stream": true')
    vertex = json.loads(_patch(streamed, api_version="vertex-2023-10-16"))
    assert vertex.keys() == {"anthropic_version", "max_tokens", "stream", "messages"}
    bedrock = json.loads(_patch(streamed, api_version="bedrock-2023-05-31"))
    assert bedrock.keys() == {"anthropic_version", "max_tokens", "messages"}


def test_a_count_has_no_cap_and_keeps_its_model() -> None:
    given = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
    head = decode_count_head(given)
    plain = Upstream("m", Capabilities(), cap=5)
    assert patch_count(given, plain, head=head, once=False) is given
    cloud = Upstream("claude", Capabilities(), api_version="vertex-2023-10-16")
    written = json.loads(patch_count(given, cloud, head=head, once=False))
    assert (written["model"], written["anthropic_version"]) == ("claude", "vertex-2023-10-16")
    assert "max_tokens" not in written
