"""The parts of a message's content, read: text, pictures, files, sounds, films, refusals; others stay as they are.

OpenAI's specification 2.3.0; `cache_control` and `video_url` are OpenRouter's and LiteLLM's additions.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.complaints import explain
from providers.dialects.conversation import (
    Audio,
    CacheMark,
    Document,
    Image,
    Opaque,
    Part,
    Refusal,
    Source,
    Text,
    Thinking,
    Video,
)
from providers.dialects.openai_chat.sources import read_source

T = TypeVar("T")
Fields = dict[str, Any]  # a JSON object to be written
ABSENT = msgspec.Raw(b"")  # a field that was not there


class CacheControl(msgspec.Struct):
    """Anthropic's mark, as gateways take it in this dialect."""

    type: str = "ephemeral"
    ttl: str | None = None


class _Kind(msgspec.Struct):
    type: str = "text"


class _Text(msgspec.Struct):
    text: str
    cache_control: CacheControl | None = None


class _Address(msgspec.Struct):
    url: str
    detail: str | None = None


class _Image(msgspec.Struct):
    image_url: _Address | str
    cache_control: CacheControl | None = None


class _Video(msgspec.Struct):
    video_url: _Address | str


class _Sound(msgspec.Struct):
    data: str
    format: str = ""


class _Audio(msgspec.Struct):
    input_audio: _Sound


class _FileData(msgspec.Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class _File(msgspec.Struct):
    file: _FileData
    cache_control: CacheControl | None = None


class _Refusal(msgspec.Struct):
    refusal: str


class _Thinking(msgspec.Struct):
    thinking: str | list[_Text]
    signature: str | None = None


def read_content(content: str | Sequence[msgspec.Raw] | None, path: str) -> tuple[Part, ...]:
    """Return the parts of a content; an empty text is none. Raises InvalidRequest that names the part by its path."""
    if not content:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    return tuple(read_part(raw, f"{path}[{index}]") for index, raw in enumerate(content))


def read_part(raw: msgspec.Raw, path: str) -> Part:
    """Return one part, an Opaque where its kind is not known. Raises InvalidRequest that names what is wrong."""
    kind = decode_at(_kind, raw, path).type
    read = _READERS.get(kind)
    return read(raw, path) if read else Opaque(Dialect.OPENAI, kind, raw.copy())


def decode_at(decoder: "msgspec.json.Decoder[T]", raw: msgspec.Raw, path: str) -> T:
    """Return a decoded piece of the body. Raises InvalidRequest whose path starts at the body's top."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        text = str(error)
        at = text.replace("`$", f"`$.{path}") if " - at `$" in text else f"{text} - at `$.{path}`"
        raise explain(msgspec.ValidationError(at)) from error


def is_said(raw: msgspec.Raw) -> bool:
    """Tell whether a field was there and is not null."""
    return bytes(raw) not in (b"", b"null")


def read_mark(mark: CacheControl | None) -> CacheMark:
    """Return how long a part shall be kept in the vendor's cache, empty where nobody asks for it."""
    if mark is None:
        return ""
    return "1h" if mark.ttl == "1h" else "5m"


def _read_text(raw: msgspec.Raw, path: str) -> Part:
    wire = decode_at(_text, raw, path)
    return Text(wire.text, cache=read_mark(wire.cache_control))


def _read_image(raw: msgspec.Raw, path: str) -> Part:
    wire = decode_at(_image, raw, path)
    address = _address_of(wire.image_url)
    source = read_source(address.url, media_type="image/png")
    return Image(source, detail=address.detail or "", cache=read_mark(wire.cache_control))


def _read_video(raw: msgspec.Raw, path: str) -> Part:
    return Video(read_source(_address_of(decode_at(_video, raw, path).video_url).url, media_type="video/mp4"))


def _read_audio(raw: msgspec.Raw, path: str) -> Part:
    sound = decode_at(_audio, raw, path).input_audio
    source = read_source(sound.data, media_type=f"audio/{sound.format}" if sound.format else "")
    return Audio(source, format=sound.format)


def _read_file(raw: msgspec.Raw, path: str) -> Part:
    wire = decode_at(_file, raw, path)
    file = wire.file
    if not file.file_data and not file.file_id:
        raise InvalidRequest(
            "a file needs file_data or file_id", code="missing_required_parameter", param=f"{path}.file"
        )
    inline = read_source(file.file_data, media_type="application/pdf") if file.file_data else Source()
    source = msgspec.structs.replace(inline, file_id=file.file_id or "")
    return Document(source, title=file.filename or "", cache=read_mark(wire.cache_control))


def _read_refusal(raw: msgspec.Raw, path: str) -> Part:
    return Refusal(decode_at(_refusal, raw, path).refusal)


def _read_thinking(raw: msgspec.Raw, path: str) -> Part:
    """Read a thought that stands in the content, as Mistral writes it (a list of texts) and Anthropic does."""
    wire = decode_at(_thinking, raw, path)
    text = wire.thinking if isinstance(wire.thinking, str) else "".join(piece.text for piece in wire.thinking)
    signature = wire.signature or ""
    return Thinking(text, signature=signature, dialect=Dialect.ANTHROPIC if signature else None)


def _address_of(wire: "_Address | str") -> _Address:
    return _Address(wire) if isinstance(wire, str) else wire


_kind = msgspec.json.Decoder(_Kind)
_text = msgspec.json.Decoder(_Text)
_image = msgspec.json.Decoder(_Image)
_video = msgspec.json.Decoder(_Video)
_audio = msgspec.json.Decoder(_Audio)
_file = msgspec.json.Decoder(_File)
_refusal = msgspec.json.Decoder(_Refusal)
_thinking = msgspec.json.Decoder(_Thinking)

_READERS: dict[str, Callable[[msgspec.Raw, str], Part]] = {
    "text": _read_text,
    "input_text": _read_text,
    "output_text": _read_text,
    "image_url": _read_image,
    "video_url": _read_video,
    "input_audio": _read_audio,
    "file": _read_file,
    "refusal": _read_refusal,
    "thinking": _read_thinking,
}


def write_mark(fields: Fields, mark: CacheMark) -> Fields:
    """Return the fields of a part or tool with its cache mark, if it has one."""
    if mark:
        fields["cache_control"] = {"type": "ephemeral"} if mark == "5m" else {"type": "ephemeral", "ttl": mark}
    return fields
