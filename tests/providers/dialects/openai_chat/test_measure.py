"""What a model has to read, by bytes, at the most, and taken apart."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Operation, Prompt
from providers.dialects.openai_chat import measure
from providers.dialects.openai_chat.measure import (
    ATTACHMENT_BYTES,
    ATTACHMENT_TOKENS,
    MESSAGE_BYTES,
    PICTURE_TOKENS_MOST,
    TOOLS_TOKENS,
    WRAPPING_TOKENS,
    Message,
)


@given(st.text())
def test_text_counts_by_its_bytes(text: str) -> None:
    assert measure.measure_text(text) == len(text.encode(errors="surrogatepass"))


def test_a_conversation_counts_its_messages_and_tools() -> None:
    messages = [Message("user", "abc"), Message("assistant"), Message("user", [{"type": "text", "text": "é"}])]
    assert measure.measure_chat(messages, None) == (3 * MESSAGE_BYTES + 3 + 2, WRAPPING_TOKENS)
    assert measure.measure_chat([], [{"a": 1}]) == (len(b'[{"a":1}]'), WRAPPING_TOKENS + TOOLS_TOKENS)


def test_an_image_counts_the_same_however_large() -> None:
    for size in (10, 1_000_000):
        image = {"type": "image_url", "image_url": {"url": "x" * size}}
        input_bytes, surplus = measure.measure_chat([Message("user", [image])], None)
        assert input_bytes == MESSAGE_BYTES + ATTACHMENT_BYTES
        assert surplus + size == WRAPPING_TOKENS + PICTURE_TOKENS_MOST


@pytest.mark.parametrize(
    ("part", "surplus"),
    [
        ({"type": "text", "text": "x"}, 0),
        ({"text": "x"}, 0),
        ({"type": "image_url", "image_url": "https://x"}, PICTURE_TOKENS_MOST - 9),
        ({"type": "image_url"}, PICTURE_TOKENS_MOST),
        ({"type": "image_url", "text": "said beside it"}, PICTURE_TOKENS_MOST),
        ({"type": "input_audio", "input_audio": {"data": "x" * 640, "format": "wav"}}, ATTACHMENT_TOKENS + 10 - 640),
        ({"type": "file", "file": {"file_id": "f-1"}}, ATTACHMENT_TOKENS),
        ({"type": "whatever", "text": 3}, ATTACHMENT_TOKENS),
        ({"type": ["odd"]}, ATTACHMENT_TOKENS),
        ({"type": None}, ATTACHMENT_TOKENS),
    ],
)
def test_an_attachment_counts_by_its_kind(part: dict[str, Any], surplus: int) -> None:
    assert measure.measure_chat([Message("user", [part])], None)[1] - WRAPPING_TOKENS == surplus
    body = json.dumps({"messages": [{"role": "user", "content": [part]}]}).encode()
    prompt = measure.read_prompt(Operation.CHAT, body)
    assert bool(prompt.pictures or prompt.attachment_tokens) == bool(surplus)


def test_inputs_are_texts_or_tokens() -> None:
    assert measure.measure_input("abc") == 3
    assert measure.measure_input(["abc", "d"]) == 4
    assert measure.measure_input([1, 2, 3]) == 12
    assert measure.measure_input([[1], [2, 3]]) == 12


def test_whatever_reaches_the_model_is_read() -> None:
    calls = [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]
    request = {
        "model": "m",
        "user": "somebody",
        "temperature": 1,
        "response_format": {"type": "json_object"},
        "tools": [{"type": "function"}],
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "assistant", "content": None, "tool_calls": calls, "reasoning_content": "hm"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "file", "file": {"file_data": "1234"}}],
            },
        ],
    }
    assert measure.read_prompt(Operation.CHAT, json.dumps(request).encode()) == Prompt(
        texts=("be brief", "", "a", ""),
        markup=(
            '{"type":"json_object"}',
            '[{"type":"function"}]',
            "system",
            "assistant",
            '[{"id":"c","function":{"name":"f","arguments":"{}"}}]',
            "hm",
            "user",
        ),
        messages=3,
        attachment_tokens=ATTACHMENT_TOKENS + 2,
        has_tools=True,
    )


def test_inputs_are_read_however_they_are_nested() -> None:
    for given_input, texts, tokens in (("a", ("a",), 0), (["a", "b"], ("a", "b"), 0), ([[1, 2], [3]], (), 3)):
        body = json.dumps({"model": "m", "input": given_input, "encoding_format": "float"}).encode()
        read = measure.read_prompt(Operation.EMBEDDING, body)
        assert read == Prompt(texts=texts, given_tokens=tokens, apart=True)
