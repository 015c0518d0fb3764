"""What every dialect does with what its providers say; the tests are the same for all of them.

A new provider is a folder of recordings and a row in the presets; nothing here names one.
"""

from collections.abc import Iterator
from typing import Any

from providers.dialects import doors
from providers.dialects.canonical import Dialect, Head, Operation
from providers.dialects.codec import Back, Front, StreamDecoder, StreamReader, Through
from providers.dialects.conversation import Answer, Ended, Event, Failed, Request
from providers.dialects.door import Door
from providers.dialects.eventstream import FrameSplitter
from providers.dialects.sse import EventSplitter
from providers.dialects.table import BACKS
from tests.contracts.recordings import Recording, recordings

HEAD = Head(model="route", stream=True, wants_stream_usage=True)
FRAMES = b"application/vnd.amazon.eventstream"


def is_translated(recording: Recording) -> bool:
    """Tell whether the answer is read, not only passed on."""
    return (recording.dialect, recording.operation) in BACKS


def back_of(recording: Recording) -> Back[Any, Any]:
    """Return who reads a recording."""
    assert recording.dialect is not None
    return BACKS[recording.dialect, recording.operation]


def chat_backs() -> dict[Dialect, Back[Request, Answer]]:
    """Return who speaks to models that converse."""
    return {dialect: back for (dialect, operation), back in BACKS.items() if operation is Operation.CHAT}


def chat_doors() -> dict[str, Door]:
    """Return where conversations are asked for; doors of one dialect that differ in form only are one."""
    found = [door for door in vars(doors).values() if isinstance(door, Door) and is_of_chat(door)]
    return {door.dialect.value: door for door in reversed(found)}


def is_of_chat(door: Door) -> bool:
    """Tell whether a door is one of conversations that can be translated."""
    return door.operation is Operation.CHAT and door.front is not None


def front_of(dialect: str) -> Front[Request, Answer]:
    """Return who speaks a dialect to clients."""
    front = chat_doors()[dialect].front
    assert front is not None
    return front


def through_of(recording: Recording) -> Through | None:
    """Return who passes a recording on to clients of its own dialect."""
    found = [door for door in vars(doors).values() if isinstance(door, Door)]
    fits = (door for door in found if (door.dialect, door.operation) == (recording.dialect, recording.operation))
    return next((door.through for door in fits if not door.variant and door.through), None)


def streams() -> list[Recording]:
    """Return the recordings of conversations whose streams come to a proper end."""
    chats = (one for one in recordings() if one.operation is Operation.CHAT and not one.is_failure)
    return [one for one in chats if one.stream is not None]


def failures() -> list[Recording]:
    """Return the recordings of streams that report an error."""
    return [one for one in recordings() if one.is_failure]


def stream_of(recording: Recording) -> bytes:
    """Return the bytes of a recorded stream."""
    data = recording.stream
    assert data is not None
    return data


def messages_of(recording: Recording) -> list[bytes]:
    """Return the stream cut where its events end."""
    data = stream_of(recording)
    if back_of(recording).stream_type != FRAMES:
        return EventSplitter().feed(data)
    return list(_frames(data))


def _frames(data: bytes) -> Iterator[bytes]:
    while data:
        size = int.from_bytes(data[:4], "big")
        assert FrameSplitter().feed(data[:size])
        yield data[:size]
        data = data[size:]


def run(decoder: StreamDecoder, *pieces: bytes) -> list[Event]:
    """Return every event that a decoder gives of a stream and its end, fed on after its end too."""
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.end() + decoder.end()


def endings(events: list[Event]) -> list[Event]:
    """Return the events that end a stream."""
    return [event for event in events if isinstance(event, Ended | Failed)]


def reader_of(recording: Recording, *, cost: bytes | None = None) -> StreamReader | None:
    """Return who passes the recorded stream on, None where it is always translated."""
    through = through_of(recording)
    return through.reader(HEAD, lambda usage: cost) if through else None
