"""What an answer used, read while it passes.

Where the path told a door that could read the request, its dialect reads the answer as well, so that what a provider
does not report can be estimated as at the door itself. Anything else is told by its shape.
"""

from typing import Final

from gateway.passthrough.requests import Passage
from kernel.errors import GatewayError, UpstreamBroken
from providers.adapters.base import UpstreamAnswer
from providers.dialects.canonical import Head, Usage
from providers.dialects.codec import Facts, StreamReader, Through
from providers.dialects.reported import AnswerScan

_MAKING: Final = ("POST", "PUT", "PATCH")  # what a GET shows of usage was used by another request


class Meter:
    """A `codec.StreamReader` that gives every byte as it came.

    `usage` is whole once `close` was called. `failure` says that a stream came to an end and is none.
    """

    accepts = b""
    content_type = b""

    def __init__(self, passage: Passage, head: Head, answer: UpstreamAnswer) -> None:
        kind = answer.header(b"content-type") or b""
        door = passage.told.door
        answered = 200 <= answer.status < 300
        self._through: Through | None = door.through if door is not None and answered else None
        self._reader = _reader_of(self._through, head, kind)
        self._scan = AnswerScan(kind)
        self._scan.report.note_headers(answer.header)
        self._counts = passage.raw.method in _MAKING
        self.usage: Usage | None = None
        self.finish_reason = ""
        self.output_bytes = 0
        self.done = False
        self.failure: UpstreamBroken | None = None

    @property
    def readable(self) -> bool:
        """Tell whether the door's dialect reads the answer."""
        return self._through is not None

    @property
    def model(self) -> str:
        """Return the model that the answer names, "" where it names none."""
        return self._scan.report.model[:200]

    def feed(self, data: bytes) -> bytes:
        """Take in what passes and return it."""
        self._scan.feed(data)
        if self._reader is not None:
            self._reader.feed(data)
            self._note(self._reader)
        return data

    def end(self) -> bytes:
        """Take in the end; sets `failure`."""
        self._scan.end()
        if self._reader is not None:
            self._end_stream(self._reader)
        elif self._through is not None and (whole := self._scan.whole):
            self._note(_read_whole(self._through, whole))
        return b""

    def close(self) -> None:
        """Take it that no more comes."""
        if self._counts:
            self.usage = self.usage or self._scan.report.usage
        else:
            self.usage = None

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return nothing: nobody knows how an error is said in the middle of what passes."""
        return b""

    def _end_stream(self, reader: StreamReader) -> None:
        try:
            reader.end()
        except UpstreamBroken as error:
            self.failure = error
        self._note(reader)

    def _note(self, seen: StreamReader | Facts) -> None:
        self.usage, self.finish_reason, self.output_bytes = seen.usage, seen.finish_reason, seen.output_bytes
        self.done = isinstance(seen, Facts) or seen.done


def _reader_of(through: Through | None, head: Head, content_type: bytes) -> StreamReader | None:
    if through is None or not head.stream:
        return None
    reader = through.reader(head, lambda usage: None)
    return reader if content_type.lower().startswith(reader.accepts) else None


def _read_whole(through: Through, whole: bytes) -> Facts:
    try:
        return through.read_facts(whole)
    except UpstreamBroken:  # it has passed all the same, and is the client's to judge
        return Facts(output_bytes=len(whole))
