"""What the dialect does at the front, at the back and in between, one set for each operation.

Only making pictures is translated to and from other dialects; all else goes to providers who speak this one.
"""

import msgspec

from providers.dialects.canonical import Head, Usage
from providers.dialects.codec import Back, CostOf, Front, Heads, StreamReader, Through, Upstream, of_body
from providers.dialects.openai_chat.refusals import read_report
from providers.dialects.openai_chat.request import names_model_twice, patch
from providers.dialects.openai_media import asking, moderation, pictures, response, sounds
from providers.dialects.openai_media.stream import EventReader, SoundReader
from providers.dialects.openai_media.usage import MediaUsage, read_usage
from providers.dialects.picture import PictureAnswer, PictureRequest
from providers.dialects.unstreamed import no_decoder, no_encoder


def _patch(body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
    """Return the body, or the fields of the form, with the upstream's model; no field of these caps the output."""
    is_other_model = head.model != upstream.model or names_model_twice(body)
    return patch(body, model=upstream.model if is_other_model else None, once=once)


def _pass_pictures(head: Head, cost_of: CostOf) -> StreamReader:
    return EventReader(_account_picture, answers=head.images)


def _pass_transcript(head: Head, cost_of: CostOf) -> StreamReader:
    return EventReader(read_usage)


def _pass_sound(head: Head, cost_of: CostOf) -> StreamReader:
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


IMAGE_FRONT: Front[PictureRequest, PictureAnswer] = Front(
    decode_head=of_body(pictures.decode_head),
    read_prompt=pictures.read_prompt,
    decode_request=of_body(pictures.decode_request),
    encode_answer=response.encode_pictures,
    encoder=no_encoder,
)
IMAGE_BACK: Back[PictureRequest, PictureAnswer] = Back(
    encode_request=asking.encode_request,
    decode_answer=response.decode_pictures,
    decoder=no_decoder,
    read_error=read_report,
    stream_type=b"",
)
IMAGE_THROUGH = Through(patch=_patch, read_facts=response.read_picture_facts, reader=_pass_pictures)
IMAGE_EDIT_HEADS = Heads(of_body(pictures.decode_edit_head), pictures.read_prompt)
SPEECH_HEADS = Heads(of_body(sounds.decode_speech_head), sounds.read_speech_prompt)
SPEECH_THROUGH = Through(patch=_patch, read_facts=response.read_sound_facts, reader=_pass_sound)
TRANSCRIPTION_HEADS = Heads(of_body(sounds.decode_heard_head), sounds.read_heard_prompt)
TRANSCRIPTION_THROUGH = Through(patch=_patch, read_facts=response.read_transcript_facts, reader=_pass_transcript)
MODERATION_HEADS = Heads(of_body(moderation.decode_head), moderation.read_prompt)
MODERATION_THROUGH = Through(patch=_patch, read_facts=response.read_judgement_facts, reader=_pass_transcript)
