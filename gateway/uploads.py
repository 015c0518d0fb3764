"""Forms with files on their way through: fields become JSON, files wait on disk, and a new form is written from both.

The journey of a call works on a body of bytes. For a form that is a JSON object of its fields, in which a file is
described and not contained: `{"model": "…", "file": {"filename": "a.mp3", "content_type": "audio/mpeg", "bytes": 9}}`.
A field that stands more than once is a list. The dialect reads and patches that object; `Upload.segments` puts the
patched values and the files' own bytes together again, in the client's order.
"""

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from tempfile import SpooledTemporaryFile
from typing import Any

import msgspec

from kernel.errors import BodyTooLarge, GatewayError, InvalidRequest
from providers.dialects.multipart import (
    FormReader,
    PartData,
    PartEvent,
    PartHead,
    content_type_of,
    write_end,
    write_head,
    write_tail,
)

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
IN_MEMORY_MAX_BYTES = 1 << 20
FIELDS_MAX_BYTES = 1 << 20
PIECE_BYTES = 64 * 1024
DRAINED_TIMES = 4  # as much of a refused body is read and dropped, in times of what is allowed

_object = msgspec.json.Decoder(dict[str, Any])


class UploadCut(Exception):
    """The caller was gone before its upload was in."""


class Range(msgspec.Struct, frozen=True):
    """Where the bytes of a file stand among those of all files."""

    offset: int
    length: int


class Part(msgspec.Struct, frozen=True):
    """A part that came: `place` is its number among those of the same name, `content` its text or its file's range."""

    head: PartHead
    place: int
    content: str | Range


class FormBody:
    """A form ready to be sent, as the HTTP client wants it; `content_type` names its boundary."""

    def __init__(self, boundary: bytes, written: list[bytes | Range], files: "SpooledTemporaryFile[bytes]") -> None:
        self.content_type = content_type_of(boundary)
        self.total_bytes = sum(len(item) if isinstance(item, bytes) else item.length for item in written)
        self._written = written
        self._files = files

    def pieces(self) -> Iterator[bytes]:
        """Return the form's bytes from the first one on; files are read 64 KiB at a time."""
        for item in self._written:
            if isinstance(item, bytes):
                yield item
                continue
            for offset in range(0, item.length, PIECE_BYTES):
                self._files.seek(item.offset + offset)  # another try may read the same files in between
                yield self._files.read(min(PIECE_BYTES, item.length - offset))


class Upload:
    """A form that came whole. Close it when the call is over: its files are gone then."""

    def __init__(self, parts: list[Part], files: "SpooledTemporaryFile[bytes]", digest: bytes) -> None:
        self._parts = parts
        self._files = files
        self._digest = digest
        self._boundary = secrets.token_hex(16).encode()

    def fields_json(self) -> bytes:
        """Return the form's fields as a JSON object, files described."""
        counts = Counter(part.head.name for part in self._parts)
        fields: dict[str, Any] = {}
        for part in self._parts:
            value = part.content if isinstance(part.content, str) else _describe(part.head, part.content)
            if counts[part.head.name] > 1:
                fields.setdefault(part.head.name, []).append(value)
            else:
                fields[part.head.name] = value
        return msgspec.json.encode(fields)

    def segments(self, fields_json: bytes) -> FormBody:
        """Return the form anew: with these fields, which may have been patched, and the files that they still name.

        Fields that the client did not send stand at the end.
        """
        fields = _object.decode(fields_json)
        known = {part.head.name for part in self._parts}
        out = _Writer(self._boundary)
        for part in self._parts:
            value = _value_at(fields.get(part.head.name), part.place)
            if value is not None:
                out.add(part.head, part.content if isinstance(part.content, Range) else _as_text(value))
        for name, values in fields.items():
            if name in known:
                continue
            for value in values if isinstance(values, list) else [values]:
                out.add(PartHead(name), _as_text(value))
        return FormBody(self._boundary, out.finish(), self._files)

    def digest(self) -> bytes:
        """Return what stands for the form's contents: equal for equal parts, whatever the boundary and the chunks."""
        return self._digest

    def close(self) -> None:
        """Let the files go."""
        self._files.close()


async def receive_upload(receive: Receive, *, content_type: bytes, max_bytes: int) -> tuple[bytes, Upload]:
    """Return a form's fields as JSON, and the form itself, from the messages of an ASGI server.

    Raises InvalidRequest with the code `invalid_multipart`, BodyTooLarge past `max_bytes`, UploadCut.
    """
    size = _Size(max_bytes)
    intake: _Intake | None = None
    try:
        reader = FormReader(content_type)
        intake = _Intake()
        while (data := await _next(receive, size)) is not None:
            if size.exceeded:
                raise BodyTooLarge(f"The body is larger than {max_bytes} bytes.")
            intake.take(reader.feed(data))
        reader.end()
        upload = intake.finish()
        return upload.fields_json(), upload
    except BaseException as error:
        if intake is not None:
            intake.files.close()
        if isinstance(error, GatewayError):
            await _drain(receive, size)
        raise


class _Size:
    """How much of a body came, and whether more follows."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.came = 0
        self.more = True

    @property
    def exceeded(self) -> bool:
        return self.came > self.max_bytes


async def _next(receive: Receive, size: _Size) -> bytes | None:
    if not size.more:
        return None
    message = await receive()
    if message["type"] == "http.disconnect":
        raise UploadCut
    data: bytes = message.get("body", b"")
    size.came += len(data)
    size.more = bool(message.get("more_body"))
    return data


async def _drain(receive: Receive, size: _Size) -> None:
    """Read on after a refusal, so that a client that is still sending gets to hear it."""
    with suppress(UploadCut):
        while size.came <= DRAINED_TIMES * size.max_bytes and await _next(receive, size) is not None:
            pass


class _Intake:
    """Sorts what comes: files into one spool, fields into memory."""

    def __init__(self) -> None:
        self.files: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY_MAX_BYTES)  # noqa: SIM115
        self._parts: list[Part] = []
        self._places: Counter[str] = Counter()
        self._whole = blake2b(digest_size=32)
        self._head = PartHead("")
        self._own = blake2b(digest_size=32)
        self._text: list[bytes] = []
        self._begin = self._end = self._fields_bytes = 0

    def take(self, events: list[PartEvent]) -> None:
        """Take in what the reader tells."""
        for event in events:
            if isinstance(event, PartData):
                self._take_data(event.data)
            elif isinstance(event, PartHead):
                self._head, self._own = event, blake2b(digest_size=32)
                self._text, self._begin = [], self._end
            else:
                self._end_part()

    def finish(self) -> Upload:
        """Return the upload."""
        return Upload(self._parts, self.files, self._whole.digest())

    def _take_data(self, data: bytes) -> None:
        self._own.update(data)
        if self._head.filename is not None:
            self.files.write(data)
            self._end += len(data)
            return
        self._fields_bytes += len(data)
        if self._fields_bytes > FIELDS_MAX_BYTES:
            raise BodyTooLarge(f"The fields of the form are larger than {FIELDS_MAX_BYTES} bytes.")
        self._text.append(data)

    def _end_part(self) -> None:
        head = self._head
        content: str | Range = Range(self._begin, self._end - self._begin)
        if head.filename is None:
            content = _decode(head.name, b"".join(self._text))
        self._parts.append(Part(head, self._places[head.name], content))
        self._places[head.name] += 1
        self._whole.update(msgspec.msgpack.encode((head.name, head.filename, head.content_type, self._own.digest())))


class _Writer:
    """Writes a form, neighbouring bytes as one."""

    def __init__(self, boundary: bytes) -> None:
        self._boundary = boundary
        self._written: list[bytes | Range] = []
        self._bytes: list[bytes] = []

    def add(self, head: PartHead, content: str | Range) -> None:
        """Write a part."""
        self._bytes.append(write_head(head, self._boundary))
        if isinstance(content, str):
            self._bytes.append(content.encode())
        else:
            self._written += (b"".join(self._bytes), content)
            self._bytes = []
        self._bytes.append(write_tail())

    def finish(self) -> list[bytes | Range]:
        """Return the whole form."""
        return [*self._written, b"".join([*self._bytes, write_end(self._boundary)])]


def _describe(head: PartHead, content: Range) -> dict[str, Any]:
    return {"filename": head.filename, "content_type": head.content_type, "bytes": content.length}


def _value_at(value: Any, place: int) -> Any:
    """Return the value of one of several fields of a name; None where it was taken away."""
    if isinstance(value, list):
        return value[place] if place < len(value) else None
    return value if place == 0 else None


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _decode(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"The field '{name[:100]}' is not UTF-8.", code="invalid_multipart", param=name[:100]
        ) from error
