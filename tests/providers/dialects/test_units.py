"""Units besides tokens, where a provider says nothing of them."""

from providers.dialects.canonical import Head, Usage
from providers.dialects.units import with_units


def test_what_was_asked_for_is_taken_to_have_been_used() -> None:
    head = Head(model="m", images=2, characters=3, searches=4, audio_ms_most=4_001)
    assert with_units(Usage(input_tokens=5), head) == Usage(
        input_tokens=5, images=2, characters=3, searches=4, audio_ms=1_001, estimated=True
    )
