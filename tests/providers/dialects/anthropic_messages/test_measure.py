"""The figures of a prompt are above what any vendor counts, and its texts are found wherever they stand."""

import json
from typing import Any

import pytest

from providers.dialects.anthropic_messages.head import decode_head
from providers.dialects.anthropic_messages.measure import Message, measure, read_prompt
from providers.dialects.openai_chat.measure import ATTACHMENT_TOKENS, PICTURE_TOKENS_MOST, TOOLS_TOKENS, WRAPPING_TOKENS
from tests.providers.dialects.anthropic_messages.recorded import body, cassette


def _user(*blocks: Any) -> list[Message]:
    return [Message("user", list(blocks))]


def test_text_is_measured_wherever_it_stands() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "süß"}]}
    total, surplus = measure(_user({"type": "text", "text": "abc"}, result), "sys", None)
    assert (total, surplus) == (16 + 3 + 5 + 3, WRAPPING_TOKENS)


def test_tools_and_calls_are_measured_as_their_json() -> None:
    tools: list[dict[str, Any]] = [{"name": "n", "input_schema": {}}]
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
    total, surplus = measure(_user(call), None, tools)
    size = len(json.dumps(tools, separators=(",", ":"))) + len(json.dumps(call, separators=(",", ":")))
    assert (total, surplus) == (16 + size, WRAPPING_TOKENS + TOOLS_TOKENS)


def test_attachments_count_apart_from_their_bytes() -> None:
    image = {"type": "image", "source": {"type": "base64", "data": "x" * 100}}
    assert measure(_user(image), None, None)[1] == WRAPPING_TOKENS + PICTURE_TOKENS_MOST - 100
    pdf = {"type": "document", "source": {"type": "base64", "data": "x" * 100}}
    assert measure(_user(pdf), None, None)[1] == WRAPPING_TOKENS + ATTACHMENT_TOKENS - 50
    text = {"type": "document", "source": {"type": "text", "data": "abc"}}
    assert measure(_user(text), None, None) == (16 + 3, WRAPPING_TOKENS)


@pytest.mark.parametrize("blocks", [[{}], [{"type": "image"}], [{"type": "document", "source": 7}], []])
def test_odd_blocks_harm_nobody(blocks: list[Any]) -> None:
    request = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": blocks}]}
    assert decode_head(body(request)).input_tokens_most > 0
    assert read_prompt(body(request)).messages == 1


def test_a_prompt_is_taken_apart() -> None:
    prompt = read_prompt(body(cassette("tools.json")["request"]))
    assert {"Weather and time?", "I look.", "Rain", "And now?"} <= set(prompt.texts)
    assert {"weather", '{"place":"Paris"}', "toolu_01"} <= set(prompt.markup)
    assert (prompt.messages, prompt.pictures, prompt.has_tools) == (3, 1, True)


def test_documents_are_read_as_text_or_counted() -> None:
    prompt = read_prompt(body(cassette("documents.json")["request"]))
    assert {"Read.", "Rain falls.", "One", "Two", "Sun", "What falls?"} <= set(prompt.texts)
    assert (prompt.pictures, prompt.attachment_tokens) == (1, 2 * ATTACHMENT_TOKENS + 6)
