"""Annotations are read leniently and kept whole; only citations of addresses can be written."""

import json
from typing import Literal

import msgspec
import pytest

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Citation
from providers.dialects.openai_responses.citations import read_citation, write_citation


def test_an_annotation_comes_back_as_it_came() -> None:
    raw = msgspec.Raw(b'{"type":"url_citation","url":"https://a.b","title":"A","start_index":1,"end_index":4}')
    citation = read_citation(raw)
    assert (citation.kind, citation.url, citation.title, citation.start, citation.end) == (
        "url",
        "https://a.b",
        "A",
        1,
        4,
    )
    assert write_citation(citation, text_length=9) is raw


@pytest.mark.parametrize("raw", [b'{"type":"file_citation","filename":"a.pdf","index":0}', b'{"url":7}', b"{"])
def test_odd_annotations_are_kept(raw: bytes) -> None:
    citation = read_citation(msgspec.Raw(raw))
    assert (citation.kind, citation.raw) == ("characters", msgspec.Raw(raw))


@pytest.mark.parametrize(("kind", "place"), [("url", (2, 3)), ("blocks", (0, 9))])
def test_another_vendor_s_address_becomes_an_annotation(kind: Literal["url", "blocks"], place: tuple[int, int]) -> None:
    citation = Citation(kind, Dialect.GEMINI, msgspec.Raw(b"{}"), url="https://a.b", start=2, end=3)
    raw = write_citation(citation, text_length=9)
    assert raw is not None
    written = json.loads(bytes(raw))
    assert (written["type"], written["start_index"], written["end_index"]) == ("url_citation", *place)


def test_what_has_no_address_has_no_place() -> None:
    assert write_citation(Citation("pages", Dialect.ANTHROPIC, msgspec.Raw(b"{}")), text_length=9) is None
