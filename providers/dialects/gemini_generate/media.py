"""Pictures, documents, sounds and films: what they are by their media type, and where Gemini takes them from.

Inline bytes travel as `inlineData`; addresses as `fileData`: https pages, and Google's own stores
(ai.google.dev/gemini-api/docs/file-input-methods, November 2026 [mem]).
"""

import binascii
from collections.abc import Mapping
from urllib.parse import urlsplit

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Feature
from providers.dialects.conversation import Audio, Document, Image, Source, Video
from providers.dialects.gemini_generate.wire import Blob, File, Part

Media = Image | Document | Audio | Video

_GOOGLES = ("gs://", "https://generativelanguage.googleapis.com/", "https://www.youtube.com/", "https://youtu.be/")
_FILMS = _GOOGLES[2:]
_TYPES: Mapping[str, str] = {
    **{name: f"image/{name}" for name in ("png", "jpeg", "webp", "gif", "heic", "heif")},
    **{name: f"audio/{name}" for name in ("wav", "mp3", "flac", "ogg", "aac", "aiff")},
    **{name: f"video/{name}" for name in ("mp4", "mov", "webm", "mpeg")},
    **{name: f"text/{name}" for name in ("html", "csv", "md")},
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "txt": "text/plain",
}
_FORMATS: Mapping[str, str] = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "l16": "pcm16"}
_NEEDED: Mapping[type[Media], Feature] = {
    Image: Feature.IMAGES,
    Document: Feature.DOCUMENTS,
    Audio: Feature.AUDIO,
    Video: Feature.VIDEO,
}
_DEFAULTS: Mapping[type[Media], str] = {
    Image: "image/jpeg",
    Document: "application/pdf",
    Audio: "audio/wav",
    Video: "video/mp4",
}


def read_media(part: Part) -> Media | None:
    """Return what a part of inline or stored bytes is; None for any other part. Unknown types are documents."""
    if part.inline_data is not None:
        source = Source(data=part.inline_data.data or "", media_type=part.inline_data.mime_type or "")
    elif part.file_data is not None:
        uri = part.file_data.file_uri or ""
        source = Source(url=uri, media_type=part.file_data.mime_type or _type_of(uri))
    else:
        return None
    return _kind_of(source)


def write_media(media: Media, capabilities: Capabilities, *, is_own: bool, param: str) -> Part:
    """Return the part that says it.

    Raises InvalidRequest for what the model can't take, and for bytes that are no base64 unless `is_own` says that they
    came in this dialect, where they are the vendor's to judge.
    """
    if not capabilities.has(_NEEDED[type(media)]):
        what = type(media).__name__.lower()
        raise InvalidRequest(f"the model takes no {what}", code="unsupported_content", param=param)
    if isinstance(media, Document) and media.text:
        return Part(text=media.text)
    source = media.source
    if source.data:
        if not is_own:
            _require_base64(source.data, param)
        return Part(inline_data=Blob(mime_type=_type_of_media(media), data=source.data))
    if source.url.startswith(_GOOGLES) or (source.url.startswith("https://") and capabilities.has(Feature.IMAGE_URLS)):
        mime_type = source.media_type or (None if source.url.startswith(_FILMS) else _type_of_media(media))
        return Part(file_data=File(mime_type=mime_type, file_uri=source.url))
    raise InvalidRequest(
        "the model takes files inline or at an https address only", code="unsupported_content", param=param
    )


def tell_media(media: Media) -> Part:
    """Return the part of something the model made."""
    if media.source.data:
        return Part(inline_data=Blob(mime_type=_type_of_media(media), data=media.source.data))
    return Part(file_data=File(mime_type=_type_of_media(media), file_uri=media.source.url))


def _kind_of(source: Source) -> Media:
    kind, _, subtype = source.media_type.partition("/")
    if kind == "image":
        return Image(source)
    if kind == "audio":
        bare = subtype.partition(";")[0].lower()
        return Audio(source, format=_FORMATS.get(bare, bare))
    if kind == "video" or source.url.startswith(_FILMS):
        return Video(source)
    return Document(source)


def _type_of_media(media: Media) -> str:
    if media.source.media_type:
        return media.source.media_type
    if isinstance(media, Audio) and media.format:
        return _TYPES.get(media.format, f"audio/{media.format}")
    return _type_of(media.source.url) or _DEFAULTS[type(media)]


def _type_of(url: str) -> str:
    """Return the media type that an address ends like; empty where it doesn't."""
    path = urlsplit(url).path if "://" in url else url
    return _TYPES.get(path.rpartition(".")[2].lower(), "")


def _require_base64(data: str, param: str) -> None:
    try:
        binascii.a2b_base64(data, strict_mode=True)
    except ValueError as error:
        raise InvalidRequest(f"the data is not valid base64: {error}", code="invalid_base64", param=param) from error
