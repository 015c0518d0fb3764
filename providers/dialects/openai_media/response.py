"""Reading and writing whole answers: pictures, transcripts, judgements."""

import re
from typing import Any

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Usage
from providers.dialects.codec import Asked, Facts
from providers.dialects.openai_media.usage import MediaUsage, SvgUsage, milliseconds, read_usage
from providers.dialects.picture import Picture, PictureAnswer

_CUE = re.compile(rb"--> *(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{3})")


class _Picture(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class _Pictures(msgspec.Struct):
    data: list[_Picture] | None = None
    output_format: str | None = None
    usage: MediaUsage | None = None
    svg_usage: SvgUsage | None = None


class _PictureFacts(msgspec.Struct):
    """Without the pictures themselves, which may be many megabytes."""

    data: list[msgspec.Raw] | None = None
    usage: MediaUsage | None = None
    svg_usage: SvgUsage | None = None


class _Transcript(msgspec.Struct):
    text: str
    duration: float | None = None
    usage: MediaUsage | None = None


class _Judgement(msgspec.Struct):
    results: list[msgspec.Raw]
    usage: MediaUsage | None = None


_pictures = msgspec.json.Decoder(_Pictures)
_picture_facts = msgspec.json.Decoder(_PictureFacts)
_transcript = msgspec.json.Decoder(_Transcript)
_judgement = msgspec.json.Decoder(_Judgement)


def read_picture_facts(body: bytes) -> Facts:
    """Return what accounting needs of pictures. Raises UpstreamBroken where there are none."""
    try:
        answer = _picture_facts.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's answer holds no pictures") from error
    if not answer.data:
        raise UpstreamBroken("the provider's answer holds no pictures")
    return Facts(usage=_picture_usage(len(answer.data), answer.usage, answer.svg_usage))


def decode_pictures(body: bytes) -> PictureAnswer:
    """Return the pictures. Raises UpstreamBroken where there are none."""
    try:
        answer = _pictures.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's answer holds no pictures") from error
    if not answer.data:
        raise UpstreamBroken("the provider's answer holds no pictures")
    media_type = f"image/{answer.output_format or 'png'}"
    pictures = [
        Picture(
            data=picture.b64_json or "",
            url=picture.url or "",
            media_type=media_type,
            revised_prompt=picture.revised_prompt or "",
        )
        for picture in answer.data
    ]
    return PictureAnswer(pictures=tuple(pictures), usage=_picture_usage(len(pictures), answer.usage, answer.svg_usage))


def encode_pictures(answer: PictureAnswer, asked: Asked) -> bytes:
    """Return the body of an answer with pictures."""
    fields: dict[str, Any] = {
        "created": asked.created_at_s,
        "data": [_write_picture(picture) for picture in answer.pictures],
    }
    kinds = {picture.media_type for picture in answer.pictures if picture.data}
    if len(kinds) == 1:
        fields["output_format"] = kinds.pop().partition("/")[2]
    usage = answer.usage
    if usage is not None and usage.total_tokens:
        fields["usage"] = {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.total_tokens,
            "input_tokens_details": {"text_tokens": usage.input_tokens, "image_tokens": 0},
        }
    return msgspec.json.encode(fields)


def read_transcript_facts(body: bytes) -> Facts:
    """Return what accounting needs of a transcript: JSON, plain text, or subtitles, whose last cue tells the length.

    Raises UpstreamBroken where there is nothing, or a web page.
    """
    start = body.lstrip()[:1]
    if not start:
        raise UpstreamBroken("the provider's answer is empty")
    if start == b"<":
        raise UpstreamBroken("the provider answered with HTML instead of a transcript")
    if start == b"{":
        return _read_json_transcript(body)
    cues = _CUE.findall(body)
    usage = Usage(audio_ms=max(map(_milliseconds_of, cues)), estimated=True) if cues else None
    return Facts(usage=usage, output_bytes=len(body))


def read_judgement_facts(body: bytes) -> Facts:
    """Return what accounting needs of a moderation. Raises UpstreamBroken where it is none."""
    try:
        answer = _judgement.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's answer is no moderation") from error
    return Facts(usage=read_usage(answer.usage))


def read_sound_facts(body: bytes) -> Facts:
    """Return what accounting needs of a sound: nothing stands in it. Raises UpstreamBroken where it is empty."""
    if not body:
        raise UpstreamBroken("the provider's answer is empty")
    return Facts()


def _read_json_transcript(body: bytes) -> Facts:
    try:
        answer = _transcript.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's answer is no transcript") from error
    usage = read_usage(answer.usage)
    if usage is None and (audio_ms := milliseconds(answer.duration)):
        usage = Usage(audio_ms=audio_ms)
    return Facts(usage=usage, output_bytes=len(answer.text.encode(errors="surrogatepass")))


def _picture_usage(count: int, usage: MediaUsage | None, svg: SvgUsage | None) -> Usage:
    counted = read_usage(usage) or Usage()
    if svg is not None:  # billed by another model's price, which nobody here knows: never free
        counted = msgspec.structs.replace(
            counted,
            input_tokens=counted.input_tokens + max(svg.input_tokens, 0),
            output_tokens=counted.output_tokens + max(svg.output_tokens, 0),
        )
    return msgspec.structs.replace(counted, images=count)


def _write_picture(picture: Picture) -> dict[str, str]:
    fields = {"b64_json": picture.data} if picture.data else {"url": picture.url}
    return fields | ({"revised_prompt": picture.revised_prompt} if picture.revised_prompt else {})


def _milliseconds_of(cue: tuple[bytes, bytes, bytes, bytes]) -> int:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in cue)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
