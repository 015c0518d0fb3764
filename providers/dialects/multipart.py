"""Forms with files, `multipart/form-data` (RFC 7578): cutting one into its parts as it comes, and writing one anew.

No part is kept here: whoever feeds the reader decides what stays in memory. A form that does not end as it should is
refused, because half a file would be paid for like a whole one.
"""

from typing import TypeAlias

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from kernel.errors import InvalidRequest

MAX_PARTS = 128
MAX_HEADERS = 8
MAX_HEADER_BYTES = 4 * 1024
_TYPE = b"multipart/form-data"


class PartHead(msgspec.Struct, frozen=True):
    """What a part says of itself; `filename` is None for a plain field."""

    name: str
    filename: str | None = None
    content_type: str = ""


class PartData(msgspec.Struct, frozen=True):
    """Bytes of the part that began last."""

    data: bytes


class PartEnd(msgspec.Struct, frozen=True):
    """The part that began last is whole."""


PartEvent: TypeAlias = PartHead | PartData | PartEnd


class FormReader:
    """Reads a form bit by bit. Every complaint is an InvalidRequest with the code `invalid_multipart`."""

    def __init__(self, content_type: bytes) -> None:
        callbacks = {
            "on_part_begin": self._begin_part,
            "on_part_data": self._take_data,
            "on_part_end": self._end_part,
            "on_header_field": self._take_header_name,
            "on_header_value": self._take_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_head,
            "on_end": self._end,
        }
        self._parser = MultipartParser(
            boundary_of(content_type),
            callbacks,  # type: ignore[arg-type]  # a plain dict of what its TypedDict wants
            max_header_count=MAX_HEADERS,
            max_header_size=MAX_HEADER_BYTES,
        )
        self._events: list[PartEvent] = []
        self._headers: dict[bytes, bytes] = {}
        self._header_name = self._header_value = b""
        self._parts = 0
        self._whole = False

    def feed(self, data: bytes) -> list[PartEvent]:
        """Return what these bytes tell. Raises InvalidRequest."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _invalid(f"The form can't be read: {error}") from error
        events, self._events = self._events, []
        return events

    def end(self) -> None:
        """Raise InvalidRequest unless the form is whole."""
        if not self._whole:
            raise _invalid("The form ends before its closing boundary.")

    # The parser's side

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _invalid(f"The form has more than {MAX_PARTS} parts.")
        self._headers = {}

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._headers.setdefault(self._header_name.lower(), self._header_value)
        self._header_name = self._header_value = b""

    def _end_head(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition"))
        if kind != b"form-data" or b"name" not in options:
            raise _invalid("A part of the form has no name.")
        filename = options.get(b"filename")
        head = PartHead(
            name=_text(options[b"name"]),
            filename=None if filename is None else _text(filename),
            content_type=_text(self._headers.get(b"content-type", b"")),
        )
        self._events.append(head)

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(PartData(data[start:end]))

    def _end_part(self) -> None:
        self._events.append(PartEnd())

    def _end(self) -> None:
        self._whole = True


def is_form(content_type: bytes) -> bool:
    """Tell whether a content type is that of a form with files."""
    return content_type.partition(b";")[0].strip().lower() == _TYPE


def boundary_of(content_type: bytes) -> bytes:
    """Return what stands between the parts. Raises InvalidRequest where the content type names nothing usable."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != _TYPE or not 0 < len(boundary) <= 70:  # RFC 2046 5.1.1
        raise _invalid("The content type must be multipart/form-data with a boundary of 1 to 70 characters.")
    return boundary


def content_type_of(boundary: bytes) -> bytes:
    """Return the content type of a form with this boundary."""
    return _TYPE + b"; boundary=" + boundary


def write_head(head: PartHead, boundary: bytes) -> bytes:
    """Return what stands before the bytes of a part; its data and `write_tail` follow.

    Quotes and line ends in names are written as browsers do (HTML Standard, multipart/form-data encoding, 2026-11).
    """
    disposition = b'content-disposition: form-data; name="' + _quoted(head.name) + b'"'
    if head.filename is not None:
        disposition += b'; filename="' + _quoted(head.filename) + b'"'
    lines = [b"--" + boundary, disposition]
    if head.content_type:
        lines.append(b"content-type: " + head.content_type.encode())
    return b"\r\n".join([*lines, b"", b""])


def write_tail() -> bytes:
    """Return what stands after the bytes of a part."""
    return b"\r\n"


def write_end(boundary: bytes) -> bytes:
    """Return what stands after the last part."""
    return b"--" + boundary + b"--\r\n"


def _quoted(text: str) -> bytes:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode()


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise _invalid("A header of the form is not UTF-8.") from error


def _invalid(message: str) -> InvalidRequest:
    return InvalidRequest(message, code="invalid_multipart")
