"""Forms as the mock reads them: their fields as a JSON object in which files are described, not kept."""

from collections.abc import Iterable
from typing import Any

import msgspec

from providers.dialects.multipart import FormReader, PartData, PartHead


def read_form(pieces: Iterable[bytes], content_type: bytes) -> bytes:
    """Return the fields; a name that stands more than once has a list. Raises InvalidRequest."""
    reader = FormReader(content_type)
    parts: list[tuple[PartHead, list[bytes]]] = []
    for piece in pieces:
        for event in reader.feed(piece):
            if isinstance(event, PartHead):
                parts.append((event, []))
            elif isinstance(event, PartData):
                parts[-1][1].append(event.data)
    reader.end()
    fields: dict[str, Any] = {}
    for head, data in parts:
        value = _value_of(head, b"".join(data))
        if head.name not in fields:
            fields[head.name] = value
        elif isinstance(fields[head.name], list):
            fields[head.name].append(value)
        else:
            fields[head.name] = [fields[head.name], value]
    return msgspec.json.encode(fields)


def _value_of(head: PartHead, data: bytes) -> Any:
    if head.filename is None:
        return data.decode(errors="replace")
    return {"filename": head.filename, "content_type": head.content_type, "bytes": len(data)}
