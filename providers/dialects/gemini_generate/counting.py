"""countTokens: the conversation stands in the body itself, or as a whole request of generateContent within it."""

import msgspec

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.canonical import Dialect, Head, Prompt, Usage
from providers.dialects.codec import Encoded, Facts, PathFacts, Upstream
from providers.dialects.complaints import decode
from providers.dialects.conversation import Request
from providers.dialects.gemini_generate import request as generate
from providers.dialects.gemini_generate.casing import to_camel
from providers.dialects.gemini_generate.wire import OBJECT_DECODER
from providers.dialects.hints import sort_extras

_INNER = "generateContentRequest"


class _Count(msgspec.Struct, rename="camel"):
    total_tokens: int


_count = msgspec.json.Decoder(_Count)


def decode_head(body: bytes, path: PathFacts) -> Head:
    """Return what routing needs: nothing is generated. Raises InvalidRequest that names the field."""
    head = generate.decode_head(_inner(body), path)
    return msgspec.structs.replace(head, stream=False, wants_stream_usage=False, max_output_tokens=0, choices=1)


def read_prompt(body: bytes) -> Prompt:
    """Return what the model would read, of a request whose head was decoded without complaint."""
    return generate.read_prompt(_inner(body))


def decode_request(body: bytes, path: PathFacts) -> Request:
    """Return the request whose tokens are to be counted. Raises InvalidRequest that names the field."""
    return generate.decode_request(_inner(body), path)


def encode_request(request: Request, upstream: Upstream) -> Encoded:
    """Return the body that asks a provider, and what of the request it can't say. Raises InvalidRequest."""
    fields, unsupported = generate.write_fields(request, upstream)
    changing, harmless = sort_extras(request, Dialect.GEMINI)
    inner = {"model": "models/" + upstream.model.removeprefix("models/"), **fields}
    return Encoded(msgspec.json.encode({_INNER: inner}), unsupported=(*unsupported, *changing), ignored=harmless)


def patch(body: bytes, upstream: Upstream, *, once: bool) -> bytes:
    """Return the body with the upstream's model where a whole request names one."""
    fields = OBJECT_DECODER.decode(to_camel(body))
    if _INNER in fields:
        inner = OBJECT_DECODER.decode(fields[_INNER])
        inner["model"] = msgspec.Raw(msgspec.json.encode("models/" + upstream.model.removeprefix("models/")))
        fields[_INNER] = msgspec.Raw(msgspec.json.encode(inner))
    return msgspec.json.encode(fields) if once or _INNER in fields else body


def encode_count(input_tokens: int) -> bytes:
    """Return the body of an answer."""
    return msgspec.json.encode(_Count(input_tokens))


def decode_count(body: bytes) -> int:
    """Return the tokens that a provider counted. Raises UpstreamBroken where the bytes are no answer."""
    try:
        return _count.decode(body).total_tokens
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's answer is no count of tokens") from error


def read_facts(body: bytes) -> Facts:
    """Return that nothing was used. Raises UpstreamBroken where the bytes are no count."""
    decode_count(body)
    return Facts(usage=Usage())


def _inner(body: bytes) -> bytes:
    """Return the request that is to be counted. Raises InvalidRequest where the body is no JSON object."""
    fields = decode(OBJECT_DECODER, to_camel(body))
    inner = fields.get(_INNER)
    if inner is None or bytes(inner) == b"null":
        return body
    if "contents" in fields:
        message = f"contents and {_INNER} are mutually exclusive"
        raise InvalidRequest(message, code="invalid_value", param=_INNER)
    return bytes(inner)
