"""Citations, as this dialect's answers carry them: `annotations` beside the text that they count characters of."""

from collections.abc import Sequence
from typing import Any

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Citation


class _Url(msgspec.Struct):
    url: str = ""
    title: str | None = ""
    start_index: int | None = None
    end_index: int | None = None


class _Annotation(msgspec.Struct):
    type: str = ""
    url_citation: _Url | None = None


_annotation = msgspec.json.Decoder(_Annotation)


def read_annotations(raws: Sequence[msgspec.Raw]) -> tuple[Citation, ...]:
    """Return the citations among the annotations. Raises msgspec.ValidationError."""
    found = ((raw, _annotation.decode(raw).url_citation) for raw in raws)
    return tuple(
        Citation(
            kind="url",
            dialect=Dialect.OPENAI,
            raw=raw.copy(),
            title=cited.title or "",
            url=cited.url,
            start=cited.start_index,
            end=cited.end_index,
        )
        for raw, cited in found
        if cited is not None
    )


def write_annotation(citation: Citation, *, base: int, length: int) -> dict[str, Any] | None:
    """Return the annotation of a citation; None for one of something that has no address.

    The text cited for begins `base` characters into the message and has so far `length`, which is all of it where the
    citation doesn't say.
    """
    if not citation.url:
        return None
    start = citation.start if citation.start is not None else 0
    end = citation.end if citation.end is not None else length
    inner = {"url": citation.url, "title": citation.title, "start_index": base + start, "end_index": base + end}
    return {"type": "url_citation", "url_citation": inner}
