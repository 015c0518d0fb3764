"""Citations: annotations of an `output_text` to and from the hub's form."""

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Citation
from providers.dialects.openai_responses.wire import ANNOTATION, BROKEN, Annotation, raw_of


def read_citation(raw: msgspec.Raw) -> Citation:
    """Return an annotation as a citation; its own form is kept beside."""
    try:
        wire = ANNOTATION.decode(raw)
    except BROKEN:
        wire = Annotation()
    return Citation(
        kind="url" if wire.url else "characters",
        dialect=Dialect.RESPONSES,
        raw=raw,
        title=wire.title or wire.filename,
        url=wire.url,
        start=wire.start_index,
        end=wire.end_index,
    )


def write_citation(citation: Citation, *, text_length: int) -> msgspec.Raw | None:
    """Return a citation as an annotation; None where the dialect has no place for it, as for one without an address.

    A vendor that doesn't say which words rest on it means all so far.
    """
    if citation.dialect is Dialect.RESPONSES:
        return citation.raw
    if not citation.url:
        return None
    return raw_of(
        {
            "type": "url_citation",
            "url": citation.url,
            "title": citation.title,
            "start_index": 0 if citation.start is None or citation.kind != "url" else citation.start,
            "end_index": text_length if citation.end is None or citation.kind != "url" else citation.end,
        }
    )
