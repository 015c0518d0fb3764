"""What a text rests on, as Anthropic says it: by characters, pages, blocks of a document, or a search result.

Fields per kind: anthropic-python 2.11, `types/citation_*_location.py` and `types/citations_*_location.py`.
"""

from typing import Any, Literal

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Citation

_Kind = Literal["url", "characters", "pages", "blocks", "search"]
_KINDS: dict[str, _Kind] = {
    "char_location": "characters",
    "page_location": "pages",
    "content_block_location": "blocks",
    "search_result_location": "search",
    "web_search_result_location": "url",
}
_SPANS = {"characters": "char_index", "pages": "page_number", "blocks": "block_index", "search": "block_index"}
_TYPES = {kind: name for name, kind in _KINDS.items()}


class _Wire(msgspec.Struct):
    type: str = ""
    cited_text: str | None = None
    title: str | None = None
    document_title: str | None = None
    url: str | None = None
    source: str | None = None
    document_index: int | None = None
    search_result_index: int | None = None
    start_char_index: int | None = None
    end_char_index: int | None = None
    start_page_number: int | None = None
    end_page_number: int | None = None
    start_block_index: int | None = None
    end_block_index: int | None = None


_wire = msgspec.json.Decoder(_Wire)


def read_citation(raw: msgspec.Raw) -> Citation:
    """Return a citation; one of a kind that is new, or odd, keeps its raw form alone."""
    try:
        wire = _wire.decode(raw)
    except msgspec.ValidationError:
        wire = _Wire()
    kind = _KINDS.get(wire.type, "search")
    span = _SPANS.get(kind)
    return Citation(
        kind=kind,
        dialect=Dialect.ANTHROPIC,
        raw=msgspec.Raw(bytes(raw)),
        text=wire.cited_text or "",
        title=wire.title or wire.document_title or "",
        url=wire.url or wire.source or "",
        source_index=wire.search_result_index if kind == "search" else wire.document_index,
        start=getattr(wire, f"start_{span}") if span else None,
        end=getattr(wire, f"end_{span}") if span else None,
    )


def write_citation(citation: Citation) -> msgspec.Raw:
    """Return a citation as Anthropic's clients read it; its own ones to the byte."""
    if citation.dialect is Dialect.ANTHROPIC:
        return citation.raw
    fields: dict[str, Any] = {"type": _TYPES[citation.kind], "cited_text": citation.text}
    if citation.kind == "url":
        fields |= {"url": citation.url, "title": citation.title or None, "encrypted_index": ""}
    elif citation.kind == "search":
        fields |= {"source": citation.url, "title": citation.title or None}
        fields["search_result_index"] = citation.source_index or 0
    else:
        fields |= {"document_index": citation.source_index or 0, "document_title": citation.title or None}
    if citation.kind in _SPANS:
        span = _SPANS[citation.kind]
        fields |= {f"start_{span}": citation.start or 0, f"end_{span}": citation.end or 0}
    return msgspec.Raw(msgspec.json.encode(fields))
