"""Pictures under Bedrock's InvokeModel: Amazon's Titan Image Generator and Nova Canvas, which share a body.

Task TEXT_IMAGE as Nova's user guide has it (request and response structure for image generation, November 2026).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.hints import sort_extras
from providers.dialects.picture import Picture, PictureAnswer, PictureRequest

_QUALITIES: Mapping[str, str] = MappingProxyType(
    {"standard": "standard", "medium": "standard", "low": "standard", "hd": "premium", "high": "premium"}
)


class _Body(msgspec.Struct):
    images: list[str] | None = None
    error: str | None = None


_body = msgspec.json.Decoder(_Body)


def encode_request(request: PictureRequest, upstream: Upstream) -> Encoded:
    """Return the body; the model stands in the path."""
    unsupported, ignored = (list(names) for names in sort_extras(request, Dialect.TITAN))
    text = {"text": request.prompt}
    if request.negative_prompt:
        text["negativeText"] = request.negative_prompt
    fields: dict[str, Any] = {"taskType": "TEXT_IMAGE", "textToImageParams": text}
    config = _write_config(request, unsupported)
    if config:
        fields["imageGenerationConfig"] = config
    if request.inline is False:  # they come inline and no other way
        unsupported.append("response_format")
    if request.user:
        ignored.append("user")
    own = request.extras if request.dialect is Dialect.TITAN else {}
    return Encoded(msgspec.json.encode({**own, **fields}), tuple(unsupported), tuple(ignored))


def decode_answer(body: bytes) -> PictureAnswer:
    """Return the pictures, in PNG. Raises UpstreamBroken where there are none, perhaps because a filter took them."""
    try:
        wire = _body.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken(f"the provider's answer is none: {error}") from error
    if not wire.images:
        raise UpstreamBroken(
            wire.error or "the provider's answer holds no pictures", code="content_filter" if wire.error else None
        )
    pictures = tuple(Picture(data=data) for data in wire.images)
    return PictureAnswer(pictures, usage=Usage(images=len(pictures)))


def _write_config(request: PictureRequest, unsupported: list[str]) -> dict[str, Any]:
    quality = _QUALITIES.get(request.quality)
    if request.quality not in ("", "auto") and quality is None:
        unsupported.append("quality")
    config = {
        "numberOfImages": request.n if request.n != 1 else None,
        "width": request.width,
        "height": request.height,
        "quality": quality,
        "seed": request.seed,
    }
    return {name: value for name, value in config.items() if value is not None}
