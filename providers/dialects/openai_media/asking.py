"""Writing a request for pictures in OpenAI's dialect."""

from typing import Any

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.hints import sort_extras
from providers.dialects.picture import PictureRequest

# These give base64 always and refuse `response_format` (OpenAI, create image, November 2026).
_ALWAYS_INLINE = ("gpt-image", "chatgpt-image")


def encode_request(request: PictureRequest, upstream: Upstream) -> Encoded:
    """Return the body."""
    unsupported, ignored = sort_extras(request, Dialect.OPENAI)
    fields: dict[str, Any] = {"model": upstream.model, "prompt": request.prompt} | _shape(request)
    if request.user:
        fields["user"] = request.user
    if request.inline is not None and not _is_always_inline(upstream.model):
        fields["response_format"] = "b64_json" if request.inline else "url"
    elif request.inline is False:
        unsupported += ("response_format",)
    borrowed = _borrowed(request)
    if request.dialect is Dialect.OPENAI:
        fields |= borrowed
        fields |= request.extras
    else:
        unsupported += tuple(borrowed)
    return Encoded(msgspec.json.encode(fields), unsupported, ignored)


def _shape(request: PictureRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {"n": request.n} if request.n != 1 else {}
    if request.width and request.height:
        fields["size"] = f"{request.width}x{request.height}"
    if request.quality:
        fields["quality"] = request.quality
    return fields


def _borrowed(request: PictureRequest) -> dict[str, Any]:
    """Return the fields that are none of OpenAI's own, but that other servers of its dialect know."""
    fields: dict[str, Any] = {} if request.seed is None else {"seed": request.seed}
    return fields | ({"negative_prompt": request.negative_prompt} if request.negative_prompt else {})


def _is_always_inline(model: str) -> bool:
    return model.rpartition("/")[2].startswith(_ALWAYS_INLINE)
