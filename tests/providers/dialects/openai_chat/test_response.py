"""A whole answer is recognised as one, or the reason it is none is said."""

import json

import pytest

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Usage
from providers.dialects.openai_chat.response import decode_answer


def test_an_answer_gives_usage_and_finish() -> None:
    body = {
        "choices": [{"finish_reason": "length", "message": {"content": "é"}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    answer = decode_answer(json.dumps(body).encode())
    assert answer.usage == Usage(input_tokens=1, output_tokens=2)
    assert answer.finish_reason == "length"
    assert answer.output_bytes == 2


def test_embeddings_are_an_answer() -> None:
    assert decode_answer(b'{"data": [], "usage": {"prompt_tokens": 4, "total_tokens": 4}}').usage == Usage(
        input_tokens=4
    )


def test_odd_types_are_still_an_answer() -> None:
    answer = decode_answer(b'{"choices": [{"finish_reason": 7}], "usage": {"prompt_tokens": "many"}}')
    assert answer.usage is None
    assert answer.output_bytes > 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b"<html>", "HTML"),
        (b'{"choices": [', "cut short"),
        (b"hello", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'{"ok": true}', "neither choices nor data"),
        (b'{"usage": 3}', "neither choices nor data"),
        (b'{"a":' * 50_000, "cut short"),
    ],
)
def test_what_is_no_answer_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(UpstreamBroken, match=reason):
        decode_answer(body)
