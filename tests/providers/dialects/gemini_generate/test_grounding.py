import msgspec
from google.genai import types

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Citation
from providers.dialects.gemini_generate.grounding import Grounding, read_grounding, write_grounding

TEXT = "Só. Spain won."
CITATION = Citation("url", Dialect.OPENAI, msgspec.Raw(b"{}"), url="https://a.b", title="A", start=4, end=9)


def test_citations_are_written_in_bytes_and_read_in_characters() -> None:
    grounding = write_grounding([(TEXT, CITATION), (TEXT, CITATION)])
    assert grounding is not None
    wire = types.GroundingMetadata.model_validate(msgspec.to_builtins(grounding))
    assert wire.grounding_chunks is not None
    assert len(wire.grounding_chunks) == 1
    first, _ = read_grounding(grounding, part_text=TEXT)
    assert (first.start, first.end, first.text, first.url, first.title) == (4, 9, "Spain", "https://a.b", "A")


def test_without_the_text_places_are_unknown() -> None:
    grounding = write_grounding([(TEXT, CITATION)])
    assert grounding is not None
    assert (read_grounding(grounding)[0].start, read_grounding(grounding)[0].text) == (None, "Spain")


def test_what_points_nowhere_is_left_out() -> None:
    wire = b'{"groundingSupports":[{"groundingChunkIndices":[0,7]},{}],"groundingChunks":[{"maps":{}}]}'
    assert read_grounding(msgspec.json.decode(wire, type=Grounding)) == []
    assert write_grounding([("x", msgspec.structs.replace(CITATION, url=""))]) is None
