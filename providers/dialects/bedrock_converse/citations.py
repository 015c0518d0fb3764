"""What a text rests on, as Converse says it: a document, a search result or a page of the web."""

from typing import Literal

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Citation

Kind = Literal["url", "characters", "pages", "blocks", "search"]


class _Text(msgspec.Struct):
    text: str = ""


class _Place(msgspec.Struct):
    documentIndex: int | None = None  # noqa: N815 - the wire's own names, here and below
    searchResultIndex: int | None = None  # noqa: N815
    start: int | None = None
    end: int | None = None
    url: str = ""


class _Location(msgspec.Struct, frozen=True):
    web: _Place | None = None
    documentChar: _Place | None = None  # noqa: N815
    documentPage: _Place | None = None  # noqa: N815
    documentChunk: _Place | None = None  # noqa: N815
    searchResultLocation: _Place | None = None  # noqa: N815


class _Citation(msgspec.Struct):
    title: str = ""
    source: str = ""
    sourceContent: list[_Text] = []  # noqa: N815
    location: _Location = _Location()


_NOWHERE = _Place()
_citation = msgspec.json.Decoder(_Citation)


def read_citation(raw: msgspec.Raw) -> Citation | None:
    """Return a citation, from an answer or a stream's delta; None where it is none."""
    try:
        wire = _citation.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    kind, place = _locate(wire.location)
    return Citation(
        kind=kind,
        dialect=Dialect.CONVERSE,
        raw=msgspec.Raw(bytes(raw)),
        text="".join(part.text for part in wire.sourceContent),
        title=wire.title,
        url=place.url or (wire.source if wire.source.startswith("http") else ""),
        source_index=place.searchResultIndex if place.documentIndex is None else place.documentIndex,
        start=place.start,
        end=place.end,
    )


def _locate(location: _Location) -> tuple[Kind, _Place]:
    places: tuple[tuple[Kind, _Place | None], ...] = (
        ("url", location.web),
        ("characters", location.documentChar),
        ("pages", location.documentPage),
        ("blocks", location.documentChunk),
        ("search", location.searchResultLocation),
    )
    return next(((kind, place) for kind, place in places if place is not None), ("url", _NOWHERE))
