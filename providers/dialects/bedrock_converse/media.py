"""Pictures, documents, sounds and films in a request: inline as base64, or in a bucket of S3.

Formats and sources are botocore 1.44's ImageBlock, DocumentBlock, AudioBlock and VideoBlock. Bytes go as base64, as
Smithy's JSON protocols write blobs.
"""

import binascii
import re
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from providers.dialects.bedrock_converse.losses import refuse
from providers.dialects.conversation import Audio, Document, Image, Source, Video

_IMAGES = MappingProxyType({"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "gif": "gif", "webp": "webp"})
_WORD = "vnd.openxmlformats-officedocument.wordprocessingml.document"
_SHEET = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DOCUMENTS = MappingProxyType(
    {
        **{name: name for name in ("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md")},
        "plain": "txt",
        "markdown": "md",
        "msword": "doc",
        "vnd.ms-excel": "xls",
        _WORD: "docx",
        _SHEET: "xlsx",
    }
)
_AUDIO_NAMES = ("mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "m4a", "mpeg", "mpga", "pcm", "webm")
_AUDIO = MappingProxyType(
    {**{name: name for name in _AUDIO_NAMES}, "x-wav": "wav", "wave": "wav", "pcm16": "pcm", "x-m4a": "m4a"}
)
_VIDEO_NAMES = ("mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv")
_VIDEOS = MappingProxyType(
    {
        **{name: name for name in _VIDEO_NAMES},
        "quicktime": "mov",
        "x-matroska": "mkv",
        "x-flv": "flv",
        "x-ms-wmv": "wmv",
        "3gpp": "three_gp",
    }
)
_BEGINNINGS = (("iVBOR", "png"), ("/9j/", "jpeg"), ("R0lGOD", "gif"), ("UklGR", "webp"), ("JVBER", "pdf"))

_NAME_BYTES_MAX = 200
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9\s\-()\[\]]+")
_SPACES = re.compile(r"\s+")


def write_image(image: Image, param: str) -> dict[str, Any]:
    """Return a picture's block. Raises InvalidRequest where it is of no form that Bedrock reads."""
    return {"image": _write(image.source, _IMAGES, "picture", param)}


def write_audio(audio: Audio, param: str) -> dict[str, Any]:
    """Return a sound's block. Raises InvalidRequest where it is of no form that Bedrock reads."""
    return {"audio": _write(audio.source, _AUDIO, "sound", param, said=audio.format)}


def write_video(video: Video, param: str) -> dict[str, Any]:
    """Return a film's block. Raises InvalidRequest where it is of no form that Bedrock reads."""
    return {"video": _write(video.source, _VIDEOS, "film", param)}


def write_document(document: Document, param: str, names: set[str]) -> dict[str, Any]:
    """Return a document's block, and add its name to those that are taken.

    Raises InvalidRequest where it is of no form that Bedrock reads.
    """
    if document.text:
        # Citations need the text as such; without them the older form is known to more models.
        data = {"text": document.text} if document.citations else {"bytes": _pack(document.text)}
        block: dict[str, Any] = {"format": "txt", "source": data}
    else:
        block = _write(document.source, _DOCUMENTS, "document", param, said=document.title.rpartition(".")[2])
    block["name"] = name_document(document.title, names)
    if document.context:
        block["context"] = document.context
    if document.citations:
        block["citations"] = {"enabled": True}
    return {"document": block}


def name_document(title: str, names: set[str]) -> str:
    """Return a name of the letters that Bedrock allows, and that no other document of the request has; it is taken."""
    allowed = _SPACES.sub(" ", _NOT_IN_NAMES.sub("-", title)).strip(" -")[: _NAME_BYTES_MAX - 8] or "document"
    name, number = allowed, 1
    while name.lower() in names:
        number += 1
        name = f"{allowed} {number}"
    names.add(name.lower())
    return name


def _write(source: Source, formats: Mapping[str, str], noun: str, param: str, *, said: str = "") -> dict[str, Any]:
    media_type = source.media_type.partition(";")[0].rpartition("/")[2].lower()
    found = formats.get(media_type) or formats.get(said.lower()) or formats.get(_guess(source))
    if found is None:
        raise refuse(f"the provider does not read a {noun} of the type '{source.media_type or said}'", param)
    return {"format": found, "source": _write_source(source, noun, param)}


def _write_source(source: Source, noun: str, param: str) -> dict[str, Any]:
    if source.url.startswith("s3://"):
        return {"s3Location": {"uri": source.url}}
    if source.url or source.file_id:
        raise refuse(f"the provider reads a {noun} inline in base64 or from s3://, not from elsewhere", param)
    try:
        if not binascii.a2b_base64(source.data, strict_mode=True):
            raise refuse(f"the {noun} is empty", param, code="invalid_base64")
    except ValueError as error:  # binascii.Error, or letters beyond ASCII
        raise refuse(f"the {noun} is not valid base64: {error}", param, code="invalid_base64") from error
    return {"bytes": source.data}


def _guess(source: Source) -> str:
    """Return the format that the data or the address shows, "" for none."""
    shown = next((name for beginning, name in _BEGINNINGS if source.data.startswith(beginning)), "")
    return shown or source.url.rpartition(".")[2].lower()


def _pack(text: str) -> str:
    return b64encode(text.encode(errors="surrogatepass")).decode()
