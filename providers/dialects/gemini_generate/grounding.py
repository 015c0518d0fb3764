"""What an answer rests on: Gemini's `groundingMetadata` and the hub's citations.

A support names a segment of the answer's text, and the web pages it rests on by their place in `groundingChunks`.
Segments count in bytes; `part_text` turns them into characters where the text is at hand (google-genai 3.4's types).
"""

from collections.abc import Iterable

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Citation


class _Web(msgspec.Struct, omit_defaults=True):
    uri: str | None = None
    title: str | None = None


class _Chunk(msgspec.Struct, omit_defaults=True):
    web: _Web | None = None


class _Segment(msgspec.Struct, rename="camel", omit_defaults=True):
    start_index: int | None = None
    end_index: int | None = None
    text: str | None = None


class _Support(msgspec.Struct, rename="camel", omit_defaults=True):
    segment: _Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class Grounding(msgspec.Struct, rename="camel", omit_defaults=True):
    """`groundingMetadata` of a candidate."""

    web_search_queries: list[str] | None = None
    grounding_chunks: list[_Chunk] | None = None
    grounding_supports: list[_Support] | None = None


def read_grounding(wire: Grounding, *, part_text: str | None = None) -> list[Citation]:
    """Return a citation for each segment and page it rests on."""
    chunks = wire.grounding_chunks or []
    return [
        _read_citation(chunks[index], support.segment or _Segment(), part_text)
        for support in wire.grounding_supports or ()
        for index in support.grounding_chunk_indices or ()
        if 0 <= index < len(chunks) and chunks[index].web is not None
    ]


def write_grounding(cited: Iterable[tuple[str, Citation]]) -> Grounding | None:
    """Return `groundingMetadata` for citations with an address, each with the text it stands in; None for no such."""
    chunks: list[_Chunk] = []
    places: dict[str, int] = {}
    supports: list[_Support] = []
    for text, citation in cited:
        if not citation.url:
            continue
        if citation.url not in places:
            places[citation.url] = len(chunks)
            chunks.append(_Chunk(_Web(citation.url, citation.title or None)))
        supports.append(_Support(_segment(text, citation), [places[citation.url]]))
    return Grounding(grounding_chunks=chunks, grounding_supports=supports) if chunks else None


def _read_citation(chunk: _Chunk, segment: _Segment, part_text: str | None) -> Citation:
    web = chunk.web or _Web()
    start, end = segment.start_index or 0, segment.end_index
    encoded = part_text.encode(errors="surrogatepass") if part_text is not None and end is not None else None
    return Citation(
        kind="url",
        dialect=Dialect.GEMINI,
        raw=msgspec.Raw(msgspec.json.encode(chunk)),
        text=segment.text or "",
        title=web.title or "",
        url=web.uri or "",
        start=None if encoded is None else _characters(encoded[:start]),
        end=None if encoded is None else _characters(encoded[:end]),
    )


def _segment(text: str, citation: Citation) -> _Segment:
    if citation.start is None or citation.end is None:
        return _Segment(text=citation.text or None)
    start, end = (len(text[:place].encode(errors="surrogatepass")) for place in (citation.start, citation.end))
    return _Segment(start_index=start or None, end_index=end, text=citation.text or text[citation.start : citation.end])


def _characters(encoded: bytes) -> int:
    return len(encoded.decode(errors="ignore"))
