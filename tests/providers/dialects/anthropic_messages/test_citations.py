"""Citations are understood, and come back to the byte."""

import json
from typing import Any

import msgspec
import pytest
from anthropic.types import TextCitation
from pydantic import TypeAdapter

from providers.dialects.anthropic_messages.citations import read_citation, write_citation
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Citation
from tests.providers.dialects.anthropic_messages.recorded import cassette

OWN = cassette("documents.json")["response"]["content"][0]["citations"]


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def test_a_span_of_characters_is_understood() -> None:
    found = read_citation(_raw(OWN[0]))
    assert (found.kind, found.source_index, found.start, found.end) == ("characters", 2, 0, 11)
    assert (found.text, found.dialect) == ("Rain falls.", Dialect.ANTHROPIC)


def test_a_search_result_has_an_address() -> None:
    wire = {"type": "search_result_location", "source": "https://x", "title": "T", "search_result_index": 1}
    found = read_citation(_raw(wire | {"start_block_index": 2, "end_block_index": 3, "cited_text": "c"}))
    assert (found.kind, found.url, found.title, found.source_index, found.start, found.end) == (
        *("search", "https://x", "T", 1),
        *(2, 3),
    )


@pytest.mark.parametrize("wire", [*OWN, {"type": "new_location", "start_char_index": "odd"}, ["odd"]])
def test_own_citations_come_back_to_the_byte(wire: Any) -> None:
    assert write_citation(read_citation(_raw(wire))) == _raw(wire)


@pytest.mark.parametrize("kind", ["url", "characters", "pages", "blocks", "search"])
def test_a_foreign_citation_is_one_that_clients_read(kind: Any) -> None:
    written = write_citation(
        Citation(kind, Dialect.OPENAI, msgspec.Raw(b"{}"), text="t", url="https://x", start=1, end=2)
    )
    read: Any = TypeAdapter(TextCitation).validate_json(bytes(written))
    assert read.cited_text == "t"
    again = read_citation(written)
    assert (again.kind, again.text) == (kind, "t")
