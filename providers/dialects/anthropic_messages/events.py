"""The events of a stream on the wire: which of them matter, and the data in their two lines.

Each event has a name, and its data repeats it as `type`, which is what is read here (Anthropic's page on streaming,
November 2026).
"""

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects import sse
from providers.dialects.anthropic_messages.errors import stream_error
from providers.dialects.anthropic_messages.usage import WireUsage

ABSENT = msgspec.Raw(b"")


class Delta(msgspec.Struct, gc=False):
    """What is new in a block, or in the message as a whole."""

    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    citation: msgspec.Raw = ABSENT
    stop_reason: str | None = None
    stop_sequence: str | None = None


class Start(msgspec.Struct, gc=False):
    """The message that a stream begins with."""

    id: str | None = None
    model: str | None = None
    usage: WireUsage | None = None


class WireEvent(msgspec.Struct, gc=False):
    """One event, of whichever kind."""

    type: str
    index: int = 0
    delta: Delta | None = None
    content_block: msgspec.Raw = ABSENT
    message: Start | None = None
    usage: WireUsage | None = None


class _Type(msgspec.Struct):
    type: str = ""


_event = msgspec.json.Decoder(WireEvent)
_type = msgspec.json.Decoder(_Type)
_UNDERSTOOD = frozenset(
    (
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop"),
    )
)


def read_event(event: bytes) -> WireEvent | None:
    """Return what an event says; None where it has no data, or is of a kind that is not known.

    Raises UpstreamBroken for an error that the provider reports, and for what is no event of this dialect.
    """
    data = _data_of(event)
    if data is None:
        return None
    try:
        wire = _event.decode(data)
    except msgspec.ValidationError as error:
        return _read_odd(data, error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's stream holds something that is not JSON") from error
    if wire.type == "error":
        raise stream_error(data)
    return wire


def _data_of(event: bytes) -> bytes | None:
    at = event.find(b"\ndata: ")
    if (
        at > 0
        and event.startswith(b"event: ")
        and event.find(b"\n") == at
        and event.find(b"\n", at + 7) == len(event) - 2
    ):
        return event[at + 7 : -2]
    return sse.data_of(event)


def _read_odd(data: bytes, error: msgspec.ValidationError) -> WireEvent | None:
    try:
        kind = _type.decode(data).type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # what follows the wrong field may be no JSON
        kind = ""
    if kind == "error":
        raise stream_error(data) from error
    if not kind or kind in _UNDERSTOOD:
        raise UpstreamBroken(f"the provider's stream holds an event that is none: {error}") from error
    return None
