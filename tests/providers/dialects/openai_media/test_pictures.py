"""Heads of requests for pictures: what is bounded, what is refused by name, and the request of the hub."""

from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.openai_media import pictures
from tests.providers.dialects.openai_media.recordings import encode, load

ASKED: dict[str, Any] = {"model": "m", "prompt": "a cat"}
FILE = {"filename": "a.png", "content_type": "image/png", "bytes": 10}


def test_the_head_of_the_recorded_request() -> None:
    head = pictures.decode_head(encode(load("media_image")["request"]))
    assert (head.model, head.images, head.choices, head.stream) == ("gpt-image-1", 2, 2, False)
    assert head.max_output_tokens is not None
    assert head.max_output_tokens >= 1_584  # what the vendor counts for this size and quality
    assert head.input_bytes == len("A red square")


@pytest.mark.parametrize(
    ("size", "quality", "counted"),
    [
        ("1024x1024", "low", 272),
        ("1024x1536", "low", 408),
        ("1024x1024", "medium", 1_056),
        ("1024x1024", "high", 4_160),
        ("1536x1024", "high", 6_208),
        ("auto", "auto", 6_240),
        (None, None, 6_240),
    ],
)
def test_the_bound_of_output_is_above_what_the_vendor_counts(size: str, quality: str, counted: int) -> None:
    head = pictures.decode_head(encode(ASKED, size=size, quality=quality))
    assert counted < (head.max_output_tokens or 0) < 4 * counted


def test_partial_pictures_and_frames_count() -> None:
    plain = pictures.decode_head(encode(ASKED)).max_output_tokens or 0
    assert pictures.decode_head(encode(ASKED, partial_images=3)).max_output_tokens == plain + 300
    assert pictures.decode_head(encode(ASKED, frame_count=4)).max_output_tokens == plain * 4


def test_the_fields_of_a_form_are_texts() -> None:
    edit = pictures.decode_edit_head(encode(ASKED, image=FILE, n="3", stream="true", max_cost_usd="0.5"))
    assert (edit.images, edit.stream, edit.max_cost_nanos) == (3, True, 500_000_000)
    several = pictures.decode_edit_head(encode(ASKED, **{"image[]": [FILE, FILE]}))
    assert several.input_tokens_most > pictures.decode_edit_head(encode(ASKED, image=FILE)).input_tokens_most
    assert pictures.read_prompt(encode(ASKED, **{"image[]": [FILE, FILE]})).attachment_tokens == 2 * 8_192
    assert pictures.read_prompt(encode(ASKED)).texts == ("a cat",)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"prompt": None}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": "two"}, "n"),
        ({"n": 1000}, "n"),
        ({"size": "large"}, "size"),
        ({"size": "0x0"}, "size"),
        ({"size": "99999x99999"}, "size"),
        ({"stream": "perhaps"}, "stream"),
        ({"partial_images": -1}, "partial_images"),
        ({"max_cost_usd": -1}, "max_cost_usd"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        pictures.decode_head(encode(ASKED, **changes))
    assert caught.value.param == param


def test_an_edit_needs_a_picture() -> None:
    with pytest.raises(InvalidRequest) as caught:
        pictures.decode_edit_head(encode(ASKED))
    assert caught.value.param == "image"


def test_the_request_of_the_hub() -> None:
    given = encode(
        ASKED, n=2, size="256x512", quality="hd", response_format="b64_json", user="u", seed=7, style="vivid"
    )
    request = pictures.decode_request(given)
    assert (request.n, request.width, request.height, request.quality) == (2, 256, 512, "hd")
    assert (request.inline, request.user, request.seed, request.dialect) == (True, "u", 7, Dialect.OPENAI)
    assert request.extras == {"style": msgspec.Raw(b'"vivid"')}
    plain = pictures.decode_request(encode(ASKED, size="auto", quality="auto", response_format="url"))
    assert (plain.width, plain.height, plain.quality, plain.inline, dict(plain.extras)) == (None, None, "", False, {})


def test_a_stream_is_not_translated() -> None:
    with pytest.raises(InvalidRequest) as caught:
        pictures.decode_request(encode(ASKED, stream=True))
    assert caught.value.param == "stream"
    assert pictures.decode_request(encode(ASKED, stream=False)).extras == {}
    with pytest.raises(InvalidRequest):
        pictures.decode_request(encode(ASKED, seed="x"))
