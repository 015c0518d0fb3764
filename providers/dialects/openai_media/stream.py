"""Passing sounds and events on: plain sound as it comes, and the event streams of pictures, transcripts and speech.

An event stream of these has no `[DONE]`: the last event of an answer names itself `….completed` or `….done` (openai-
python 3.52, `types/image_gen_completed_event.py`, `types/audio/transcription_text_done_event.py`).
"""

from collections.abc import Callable

import msgspec

from kernel.errors import GatewayError, UpstreamBroken
from providers.dialects import sse
from providers.dialects.canonical import Usage
from providers.dialects.openai_chat.errors import encode_error, read_error
from providers.dialects.openai_media.usage import MediaUsage, add

Account = Callable[[MediaUsage | None], Usage | None]
_LAST = (".completed", ".done")
_ABSENT = msgspec.Raw(b"")


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    delta: str | None = None
    usage: MediaUsage | None = None
    error: msgspec.Raw = _ABSENT


_event = msgspec.json.Decoder(_Event)


class SoundReader:
    """Passes plain sound on. It has no frames to tell whole from cut: how the transfer ends tells it."""

    accepts = b""
    content_type = b""

    def __init__(self, usage: Usage) -> None:
        self.usage: Usage | None = usage
        self.finish_reason = ""
        self.output_bytes = 0  # of text there is none
        self.done = False
        self.failure: UpstreamBroken | None = None
        self._came = False

    def feed(self, data: bytes) -> bytes:
        """Return the same bytes."""
        self._came = self._came or bool(data)
        return data

    def end(self) -> bytes:
        """Return nothing more. Raises UpstreamBroken where there was no sound at all."""
        if not self._came:
            self.failure = UpstreamBroken("the provider's answer is empty")
            raise self.failure
        self.done = True
        return b""

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return nothing: no word fits between sounds, and only a broken connection tells that they were cut."""
        return b""


class EventReader:
    """Passes events on to the byte and notes the usage of the last ones.

    `answers` is how many answers there are to be: a stream of several pictures has a last event for each.
    `account` turns what such an event reports into the usage; `usage` stands until the first of them.
    """

    accepts = b"text/event-stream"
    content_type = b"text/event-stream"

    def __init__(self, account: Account, *, answers: int = 1, usage: Usage | None = None) -> None:
        self._splitter = sse.EventSplitter()
        self._account = account
        self._answers = answers
        self._whole = 0
        self._counted: Usage | None = None
        self.usage = usage
        self.finish_reason = ""
        self.output_bytes = 0
        self.done = False
        self.failure: UpstreamBroken | None = None

    def feed(self, data: bytes) -> bytes:
        """Return the events that these bytes finish; nothing from the one on that reports an error or is none."""
        if self.done or self.failure is not None:
            return b""
        passed = []
        try:
            for event in self._splitter.feed(data):
                self._note(sse.data_of(event))
                passed.append(event)
        except sse.EventTooLarge as error:
            self.failure = UpstreamBroken(str(error))
        except UpstreamBroken as error:
            self.failure = error
        return b"".join(passed)

    def end(self) -> bytes:
        """Return what is still owed when the upstream has ended properly. Raises UpstreamBroken for a cut."""
        left = self.feed(b"\n\n") if self._splitter.rest.strip() else b""
        if self.failure is None and not self.done and not self._whole:
            self.failure = UpstreamBroken(
                "the provider's stream ended before its answer was complete", code="upstream_cut"
            )
        if self.failure is not None:
            raise self.failure
        self.done = True
        return left

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the event that ends the stream with an error."""
        return sse.encode(encode_error(error, request_id=request_id))

    def _note(self, data: bytes | None) -> None:
        if data is None:
            return
        if data == b"[DONE]":
            self.done = True
            return
        try:
            event = _event.decode(data)
        except msgspec.ValidationError:
            return  # well-formed, only unusual: it is the client's to read
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UpstreamBroken("the provider's stream holds something that is not JSON") from error
        if event.type == "error" or (event.error is not _ABSENT and bytes(event.error) != b"null"):
            message, code = read_error(data) or ("the provider reported an error in the stream", "")
            raise UpstreamBroken(message, code=code or "upstream_error")
        if event.delta:
            self.output_bytes += len(event.delta.encode(errors="surrogatepass"))
        if event.type.endswith(_LAST):
            self._finish(event.usage)

    def _finish(self, reported: MediaUsage | None) -> None:
        self._whole += 1
        self.done = self._whole >= self._answers
        used = self._account(reported)
        if used is not None:
            self.usage = self._counted = add(self._counted, used)
