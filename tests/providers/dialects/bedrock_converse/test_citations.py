"""Where a text comes from, in each of its forms."""

import msgspec
import pytest

from providers.dialects.bedrock_converse.citations import read_citation
from providers.dialects.canonical import Dialect


@pytest.mark.parametrize(
    ("location", "kind", "index", "start"),
    [
        ({"web": {"url": "https://a.example", "domain": "a.example"}}, "url", None, None),
        ({"documentChar": {"documentIndex": 1, "start": 2, "end": 3}}, "characters", 1, 2),
        ({"documentPage": {"documentIndex": 0, "start": 2, "end": 3}}, "pages", 0, 2),
        ({"documentChunk": {"documentIndex": 1, "start": 0, "end": 3}}, "blocks", 1, 0),
        ({"searchResultLocation": {"searchResultIndex": 4, "start": 2, "end": 3}}, "search", 4, 2),
        ({}, "url", None, None),
    ],
)
def test_every_location(location: object, kind: str, index: int | None, start: int | None) -> None:
    raw = msgspec.json.encode({"title": "t", "location": location, "sourceContent": [{"text": "a"}, {"text": "b"}]})
    citation = read_citation(msgspec.Raw(raw))
    assert citation is not None
    assert (citation.kind, citation.source_index, citation.start) == (kind, index, start)
    assert (citation.text, citation.title, citation.dialect) == ("ab", "t", Dialect.CONVERSE)
    assert bytes(citation.raw) == raw
    assert citation.url == ("https://a.example" if "web" in str(location) else "")


def test_a_search_result_names_its_address() -> None:
    citation = read_citation(msgspec.Raw(b'{"source":"https://a.example/b","location":{}}'))
    assert citation is not None
    assert citation.url == "https://a.example/b"


@pytest.mark.parametrize("raw", [b"7", b"null", b'{"title":7}'])
def test_what_is_none(raw: bytes) -> None:
    assert read_citation(msgspec.Raw(raw)) is None
