"""What the dialect does at the front, at the back and in between, one set for each operation.

Only making pictures is translated to and from other dialects; all else goes to providers who speak this one.
"""

from collections.abc import Callable

import msgspec

from providers.dialects.canonical import Head, Prompt, Usage
from providers.dialects.codec import (
    Asked,
    Back,
    CostOf,
    Encoded,
    ErrorReport,
    Facts,
    Front,
    HeaderOf,
    Heads,
    PathFacts,
    StreamReader,
    Through,
    Upstream,
)
from providers.dialects.openai_chat.refusals import read_report
from providers.dialects.openai_chat.request import names_model_twice, patch
from providers.dialects.openai_media import asking, moderation, pictures, response, sounds
from providers.dialects.openai_media.stream import EventReader, SoundReader
from providers.dialects.openai_media.usage import MediaUsage, read_usage
from providers.dialects.picture import PictureAnswer, PictureRequest
from providers.dialects.unstreamed import UnstreamedBack, UnstreamedFront

Read = Callable[[bytes], Head]
ReadPrompt = Callable[[bytes], Prompt]
ReadFacts = Callable[[bytes], Facts]
Pass = Callable[[Head], StreamReader]


class MediaHeads:
    """Reads requests that are never translated."""

    def __init__(self, read: Read, read_prompt: ReadPrompt) -> None:
        self._read = read
        self._read_prompt = read_prompt

    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        """Return what routing needs. Raises InvalidRequest that names the field."""
        return self._read(body)

    def read_prompt(self, body: bytes) -> Prompt:
        """Return what the model reads, of a request whose head was decoded without complaint."""
        return self._read_prompt(body)


class PictureFront(UnstreamedFront):
    """Pictures, as clients ask for them."""

    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        """Return what routing needs. Raises InvalidRequest that names the field."""
        return pictures.decode_head(body)

    def read_prompt(self, body: bytes) -> Prompt:
        """Return what the model reads, of a request whose head was decoded without complaint."""
        return pictures.read_prompt(body)

    def decode_request(self, body: bytes, path: PathFacts) -> PictureRequest:
        """Return the request. Raises InvalidRequest that names the field."""
        return pictures.decode_request(body)

    def encode_answer(self, answer: PictureAnswer, asked: Asked) -> bytes:
        """Return the body of a whole answer."""
        return response.encode_pictures(answer, asked)


class PictureBack(UnstreamedBack):
    """Pictures, as providers make them."""

    def encode_request(self, request: PictureRequest, upstream: Upstream) -> Encoded:
        """Return the body."""
        return asking.encode_request(request, upstream)

    def decode_answer(self, body: bytes) -> PictureAnswer:
        """Return a whole answer. Raises UpstreamBroken where the bytes are none."""
        return response.decode_pictures(body)

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        """Return what an error answer says; None where it is none of the dialect's."""
        return read_report(status, header, body)


class MediaThrough:
    """Bytes that pass as they are, but for the model's name."""

    def __init__(self, read_facts: ReadFacts, pass_on: Pass) -> None:
        self._read_facts = read_facts
        self._pass = pass_on

    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        """Return the body, or the fields of the form, with the upstream's model; no field of these caps the output."""
        is_other_model = head.model != upstream.model or names_model_twice(body)
        return patch(body, model=upstream.model if is_other_model else None, once=once)

    def read_facts(self, body: bytes) -> Facts:
        """Return what accounting needs of a whole answer. Raises UpstreamBroken where the bytes are none."""
        return self._read_facts(body)

    def reader(self, head: Head, cost_of: CostOf) -> StreamReader:
        """Return what passes a stream on."""
        return self._pass(head)


def _pass_pictures(head: Head) -> StreamReader:
    return EventReader(_account_picture, answers=head.images)


def _pass_transcript(head: Head) -> StreamReader:
    return EventReader(read_usage)


def _pass_sound(head: Head) -> StreamReader:
    spoken = Usage(characters=head.characters)
    if not head.wants_stream_usage:
        return SoundReader(spoken)
    return EventReader(lambda reported: _account_speech(reported, spoken), usage=spoken)


def _account_picture(reported: MediaUsage | None) -> Usage:
    return msgspec.structs.replace(read_usage(reported) or Usage(), images=1)


def _account_speech(reported: MediaUsage | None, spoken: Usage) -> Usage:
    """Return the usage of speech: what it gives out is sound, every token of it."""
    counted = read_usage(reported) or Usage()
    return msgspec.structs.replace(counted, audio_output_tokens=counted.output_tokens, characters=spoken.characters)


IMAGE_FRONT: Front[PictureRequest, PictureAnswer] = PictureFront()
IMAGE_BACK: Back[PictureRequest, PictureAnswer] = PictureBack()
IMAGE_THROUGH: Through = MediaThrough(response.read_picture_facts, _pass_pictures)
IMAGE_EDIT_HEADS: Heads = MediaHeads(pictures.decode_edit_head, pictures.read_prompt)
IMAGE_EDIT_THROUGH: Through = IMAGE_THROUGH
SPEECH_HEADS: Heads = MediaHeads(sounds.decode_speech_head, sounds.read_speech_prompt)
SPEECH_THROUGH: Through = MediaThrough(response.read_sound_facts, _pass_sound)
TRANSCRIPTION_HEADS: Heads = MediaHeads(sounds.decode_heard_head, sounds.read_heard_prompt)
TRANSCRIPTION_THROUGH: Through = MediaThrough(response.read_transcript_facts, _pass_transcript)
TRANSLATION_HEADS: Heads = TRANSCRIPTION_HEADS
TRANSLATION_THROUGH: Through = TRANSCRIPTION_THROUGH
MODERATION_HEADS: Heads = MediaHeads(moderation.decode_head, moderation.read_prompt)
MODERATION_THROUGH: Through = MediaThrough(response.read_judgement_facts, _pass_transcript)
