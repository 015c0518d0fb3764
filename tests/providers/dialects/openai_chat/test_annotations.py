"""Citations keep their place in the text, both ways."""

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Citation
from providers.dialects.openai_chat.annotations import read_annotations, write_annotation

RAW = msgspec.Raw(b'{"type":"url_citation","url_citation":{"url":"u","title":"t","start_index":2,"end_index":4}}')


def test_a_citation_comes_back_as_it_was() -> None:
    (citation,) = read_annotations([RAW])
    assert (citation.kind, citation.url, citation.title, citation.start, citation.end) == ("url", "u", "t", 2, 4)
    assert msgspec.json.encode(write_annotation(citation, base=0, length=9)) == bytes(RAW)


def test_another_vendor_s_citation_covers_its_whole_text() -> None:
    citation = Citation("url", Dialect.GEMINI, msgspec.Raw(b"{}"), url="u")
    annotation = write_annotation(citation, base=10, length=5)
    assert annotation is not None
    assert (annotation["url_citation"]["start_index"], annotation["url_citation"]["end_index"]) == (10, 15)


def test_what_has_no_address_is_left_out() -> None:
    citation = Citation("pages", Dialect.ANTHROPIC, msgspec.Raw(b"{}"), title="t")
    assert write_annotation(citation, base=0, length=5) is None


def test_other_annotations_are_no_citations() -> None:
    assert read_annotations([msgspec.Raw(b'{"type":"file","file":{"hash":"x"}}')]) == ()
