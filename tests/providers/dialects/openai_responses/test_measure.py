"""What a model reads of a request: estimates for every call, and the texts for whoever counts them."""

import json
from typing import Any

from providers.dialects.openai_chat.measure import MESSAGE_BYTES, PICTURE_TOKENS_MOST, TOOLS_TOKENS, WRAPPING_TOKENS
from providers.dialects.openai_responses.measure import measure_items, read_prompt

PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,aGk="}
PDF = {"type": "input_file", "file_data": "data:application/pdf;base64," + "A" * 4000}
ITEMS: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "input_text", "text": "four"}, PICTURE, PDF]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "five!"},
]


def _prompt(**fields: Any) -> Any:
    return read_prompt(json.dumps({"model": "m", **fields}).encode())


def test_a_text() -> None:
    assert measure_items("h\u00e9", None, "") == (3 + MESSAGE_BYTES, WRAPPING_TOKENS)
    assert measure_items("hi", [{"type": "function"}], "abc")[1] == WRAPPING_TOKENS + TOOLS_TOKENS
    assert measure_items(None, None, "")[0] == MESSAGE_BYTES


def test_items_and_attachments() -> None:
    total, surplus = measure_items(ITEMS, None, "")
    assert total > 3 * MESSAGE_BYTES + 4 + 5 + 8000
    assert PICTURE_TOKENS_MOST < surplus < PICTURE_TOKENS_MOST + 10_000


def test_the_prompt_is_taken_apart() -> None:
    prompt = _prompt(input=ITEMS, instructions="Be brief.", tools=[{"type": "function"}], store=False)
    assert prompt.texts == ("four", "", "", "", "five!")
    assert (prompt.messages, prompt.pictures, prompt.has_tools, prompt.apart) == (3, 1, True, False)
    assert prompt.attachment_tokens > 5_000
    assert {"Be brief.", "f", "{}"} <= set(prompt.markup)


def test_a_text_is_one_message() -> None:
    prompt = _prompt(input="hi", metadata={"secret": "x"})
    assert (prompt.texts, prompt.markup, prompt.messages) == (("hi",), (), 1)
    assert _prompt(previous_response_id="resp_1").texts == ("",)
