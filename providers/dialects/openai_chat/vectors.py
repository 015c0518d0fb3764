"""Vectors as lists of numbers and as packed bytes: base64 of little-endian 32-bit floats.

OpenAI's own clients ask for the packed form and some decode blindly (openai-node up to 6.x), so that a client has to
get the form it asked for, whatever the provider sent.
"""

import binascii
import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence

import msgspec

from kernel.errors import UpstreamBroken

_FLOAT_BYTES = 4


class _Item(msgspec.Struct):
    embedding: msgspec.Raw


class _Data(msgspec.Struct):
    data: list[_Item]


class _Encoding(msgspec.Struct):
    encoding_format: str | None = None


_data = msgspec.json.Decoder(_Data)
_encoding = msgspec.json.Decoder(_Encoding)
_floats = msgspec.json.Decoder(list[float])
_text = msgspec.json.Decoder(str)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def wants_base64(request: bytes) -> bool:
    """Tell whether a request for embeddings asks for the packed form."""
    return _encoding.decode(request).encoding_format == "base64"


def restate_vectors(request: bytes, answer: bytes) -> bytes:
    """Return an answer in the form that the request asks for."""
    return convert_vectors(answer, base64=wants_base64(request))


def convert_vectors(body: bytes, *, base64: bool) -> bytes:
    """Return an answer with its vectors packed or not; the same bytes where they are already, or there are none.

    Raises UpstreamBroken for vectors that are neither.
    """
    try:
        items = _data.decode(body).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    if all(_is_packed(item.embedding) is base64 for item in items):
        return body
    fields = _object.decode(body)
    changed = _objects.decode(fields["data"])
    for item in changed:
        if _is_packed(item["embedding"]) is not base64:
            vector = read_vector(item["embedding"])
            item["embedding"] = msgspec.Raw(msgspec.json.encode(pack(vector) if base64 else vector))
    fields["data"] = msgspec.Raw(msgspec.json.encode(changed))
    return msgspec.json.encode(fields)


def read_vector(raw: msgspec.Raw) -> tuple[float, ...]:
    """Return a vector in either form. Raises UpstreamBroken where it is neither."""
    try:
        return unpack(_text.decode(raw)) if _is_packed(raw) else tuple(_floats.decode(raw))
    except (msgspec.ValidationError, binascii.Error, ValueError, struct.error) as error:
        raise UpstreamBroken("the provider's answer holds a vector that is none") from error


def pack(vector: Sequence[float]) -> str:
    """Return a vector packed. Raises UpstreamBroken where a number is beyond 32 bits."""
    try:
        return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except OverflowError as error:
        raise UpstreamBroken("the provider's answer holds a number that is too large for a vector") from error


def unpack(text: str) -> tuple[float, ...]:
    """Return the numbers of a packed vector. Raises ValueError or struct.error where it is none."""
    packed = b64decode(text, validate=True)
    return struct.unpack(f"<{len(packed) // _FLOAT_BYTES}f", packed)


def _is_packed(raw: msgspec.Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b'"'
