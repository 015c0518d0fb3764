"""Requests for pictures, made or changed: `images/generations` as JSON, `images/edits` as the fields of a form.

Vendors bill pictures by the picture or by the token. For the second a picture has no cap that a client could state, so
its tokens are bounded by size and quality: twice what OpenAI's page on image generation lists for gpt-image-1
(November 2026: 272, 1,056 and 4,160 tokens for 1024x1024; 408, 1,584 and 6,240 for 1024x1536).
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect, Head, Prompt
from providers.dialects.complaints import decode
from providers.dialects.openai_chat.measure import WRAPPING_TOKENS, measure_text
from providers.dialects.openai_media.checks import (
    FormFlag,
    FormNumber,
    read_count,
    read_flag,
    read_most,
    require,
)
from providers.dialects.picture import PictureRequest

TOKENS_A_MEGAPIXEL = 8_192
TOKENS_A_MEGAPIXEL_BY_QUALITY: Mapping[str, int] = MappingProxyType(
    {"low": 512, "medium": 2_048, "high": TOKENS_A_MEGAPIXEL, "xhigh": 32_768, "max": 32_768}
)
USUAL_PIXELS = 1024 * 1536
PIXELS_MOST = 64 * 1024 * 1024
PARTIAL_TOKENS = 100  # OpenAI, image generation: each partial picture costs a hundred tokens more
PICTURE_READ_TOKENS_MOST = 8_192  # OpenAI, image generation: 6,240 and a few hundred for a large picture read closely


class File(msgspec.Struct):
    """A file of a form, as the fields describe it."""

    bytes: int
    filename: str | None = None
    content_type: str = ""


class _Fields(msgspec.Struct):
    model: str
    prompt: str
    n: FormNumber = None
    size: str | None = None
    quality: str | None = None
    response_format: str | None = None
    stream: FormFlag = None
    partial_images: FormNumber = None
    frame_count: FormNumber = None
    user: str | None = None
    seed: FormNumber = None
    negative_prompt: str | None = None
    max_cost_usd: Decimal | None = None


class _Edit(_Fields):
    image: File | list[File] | None = None
    images: list[File] | File | None = msgspec.field(default=None, name="image[]")


_fields = msgspec.json.Decoder(_Fields)
_edit = msgspec.json.Decoder(_Edit)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KNOWN = frozenset(("model", "prompt", "n", "size", "quality", "response_format", "user", "seed", "negative_prompt"))
_GATEWAYS = frozenset(("stream", "max_cost_usd"))


def decode_head(body: bytes) -> Head:
    """Return what routing needs of a request to make pictures. Raises InvalidRequest that names the field."""
    return _head_of(decode(_fields, body), body)


def decode_edit_head(body: bytes) -> Head:
    """Return what routing needs of a request to change pictures. Raises InvalidRequest that names the field."""
    edit = decode(_edit, body)
    given = [*_files(edit.image), *_files(edit.images)]
    if not given:
        raise InvalidRequest("you must provide a image parameter", code="missing_required_parameter", param="image")
    head = _head_of(edit, body)
    most = head.input_tokens_most + len(given) * PICTURE_READ_TOKENS_MOST
    return msgspec.structs.replace(head, input_tokens_most=most)


def decode_request(body: bytes) -> PictureRequest:
    """Return the request. Raises InvalidRequest that names the field, also for a stream, which no other dialect has."""
    fields = decode(_fields, body)
    if read_flag("stream", fields.stream):
        message = "Pictures of this model can't be streamed."
        raise InvalidRequest(message, code="unsupported_parameter", param="stream")
    width, height = read_size(fields.size)
    extras = {name: raw for name, raw in _object.decode(body).items() if name not in _KNOWN and name not in _GATEWAYS}
    return PictureRequest(
        model=require("model", fields.model),
        prompt=fields.prompt,
        dialect=Dialect.OPENAI,
        n=read_count("n", fields.n),
        width=width,
        height=height,
        quality="" if fields.quality in (None, "auto") else str(fields.quality),
        inline=None if fields.response_format is None else fields.response_format == "b64_json",
        seed=_seed(fields.seed),
        negative_prompt=fields.negative_prompt or "",
        user=fields.user or "",
        extras=extras,
    )


def read_prompt(body: bytes) -> Prompt:
    """Return what the model reads of a request whose head was decoded without complaint."""
    fields: dict[str, Any] = msgspec.json.decode(body)
    given = [fields.get("image"), fields.get("image[]")]
    pictures = sum(len(files) if isinstance(files, list) else files is not None for files in given)
    return Prompt(texts=(str(fields.get("prompt", "")),), attachment_tokens=pictures * PICTURE_READ_TOKENS_MOST)


def read_size(size: str | None) -> tuple[int | None, int | None]:
    """Return width and height in pixels, None and None where it is left to the model. Raises InvalidRequest."""
    if size in (None, "", "auto"):
        return None, None
    width, cross, height = str(size).partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and 0 < int(width) * int(height) <= PIXELS_MOST):
        message = f"Invalid value for 'size': {str(size)[:40]!r}, expected something like 1024x1024 or auto"
        raise InvalidRequest(message, code="invalid_value", param="size")
    return int(width), int(height)


def _head_of(fields: _Fields, body: bytes) -> Head:
    n = read_count("n", fields.n)
    return Head(
        model=require("model", fields.model),
        stream=read_flag("stream", fields.stream),
        max_output_tokens=_output_tokens_most(fields),
        choices=n,
        input_bytes=measure_text(fields.prompt),
        input_tokens_most=len(body) + WRAPPING_TOKENS,
        max_cost_nanos=read_most(fields.max_cost_usd),
        images=n,
    )


def _output_tokens_most(fields: _Fields) -> int:
    """Return the most tokens that one of the pictures can have."""
    width, height = read_size(fields.size)
    pixels = width * height if width and height else USUAL_PIXELS
    a_megapixel = TOKENS_A_MEGAPIXEL_BY_QUALITY.get(fields.quality or "", TOKENS_A_MEGAPIXEL)
    frames = read_count("frame_count", fields.frame_count)
    partial = read_count("partial_images", fields.partial_images, usual=0, least=0)
    return -(-pixels * a_megapixel // 1_000_000) * frames + partial * PARTIAL_TOKENS


def _files(given: File | list[File] | None) -> list[File]:
    return [] if given is None else given if isinstance(given, list) else [given]


def _seed(value: FormNumber) -> int | None:
    try:
        return None if value is None else int(value)
    except ValueError as error:
        message = "Invalid type for 'seed': a whole number"
        raise InvalidRequest(message, code="invalid_type", param="seed") from error
