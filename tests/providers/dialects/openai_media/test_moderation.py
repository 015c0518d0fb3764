"""Heads of requests to judge."""

from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.openai_media import moderation
from tests.providers.dialects.openai_media.recordings import encode, load

PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def test_the_head_of_the_recorded_request() -> None:
    body = encode(load("media_moderation")["request"])
    head = moderation.decode_head(body)
    assert (head.model, head.input_bytes, head.max_output_tokens) == ("omni-moderation-latest", 15, 0)
    assert moderation.read_prompt(body).texts == ("I like you", "a lot")


def test_pictures_are_counted() -> None:
    body = encode({"model": "m", "input": [PICTURE, "a"]})
    assert moderation.read_prompt(body).pictures == 1
    assert moderation.decode_head(body).input_tokens_most > 50_000
    assert moderation.read_prompt(encode({"model": "m", "input": "a"})).texts == ("a",)


@pytest.mark.parametrize(
    ("changes", "param"),
    [({"model": None}, "model"), ({"input": ""}, "input"), ({"input": []}, "input"), ({"input": [5]}, "input[0]")],
)
def test_a_wrong_field_is_refused_by_its_name(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        moderation.decode_head(encode({"model": "m", "input": "a"}, **changes))
    assert caught.value.param == param
