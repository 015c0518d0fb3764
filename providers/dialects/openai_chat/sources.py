"""Where an attachment is, as this dialect writes it: an address, or the data itself as a `data:` address."""

import binascii
from base64 import b64encode
from urllib.parse import unquote_to_bytes

from kernel.errors import InvalidRequest
from providers.dialects.conversation import Source

_BASE64 = ";base64"
_ADDRESSES = ("http://", "https://", "gs://", "s3://")


def read_source(address: str, *, media_type: str = "") -> Source:
    """Return the source that an address names; what is no address is taken for base64."""
    if address[:5].lower() == "data:":
        return _read_data(address[5:])
    if address[:8].lower().startswith(_ADDRESSES):
        return Source(url=address)
    return Source(data=address, media_type=media_type)


def write_source(source: Source, *, media_type: str) -> str:
    """Return the address of a source; `media_type` stands in where it names none."""
    return source.url or f"data:{source.media_type or media_type};base64,{source.data}"


def require_base64(data: str, param: str) -> None:
    """Raise InvalidRequest where inline data is not base64."""
    try:
        binascii.a2b_base64(data, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(f"The data is not base64: {error}", code="invalid_base64", param=param) from error


def _read_data(rest: str) -> Source:
    header, _, data = rest.partition(",")
    if header.lower().endswith(_BASE64):
        return Source(data=data, media_type=header[: -len(_BASE64)].partition(";")[0])
    return Source(data=b64encode(unquote_to_bytes(data)).decode(), media_type=header.partition(";")[0] or "text/plain")
