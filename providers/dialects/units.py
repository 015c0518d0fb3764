"""What a call uses besides tokens, estimated from its head where the provider reports nothing of it."""

import msgspec

from providers.dialects.canonical import Head, Operation, Usage

MEASURED_IN_UNITS = frozenset(
    {
        *(Operation.IMAGE, Operation.IMAGE_EDIT, Operation.SPEECH),
        *(Operation.TRANSCRIPTION, Operation.TRANSLATION, Operation.RERANK),
    }
)
USUAL_BYTES_A_MS = 4  # 32 kbit/s, as speech is usually recorded; the head bounds by a byte a millisecond


def with_units(usage: Usage, head: Head) -> Usage:
    """Return a usage that was estimated in tokens with the pictures, characters, sound and searches that were asked."""
    return msgspec.structs.replace(
        usage,
        images=head.images,
        characters=head.characters,
        audio_ms=-(-head.audio_ms_most // USUAL_BYTES_A_MS),
        searches=head.searches,
        estimated=True,
    )
