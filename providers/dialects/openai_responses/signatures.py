"""Carrying another vendor's signature through a Responses client.

Thinking, and with some vendors tool calls, are signed; the signature has to come back on the next turn, and only to the
vendor who made it. The dialect's one place for such a thing is `encrypted_content` of a reasoning item, opaque to
clients: a foreign signature travels there as base64 of a small JSON object. OpenAI's own begin otherwise and are left
as they are. A summary that the gateway had made of a conversation (`compaction`) travels the same way.
"""

import binascii

import msgspec

from providers.dialects.canonical import Dialect

_START = "eyJ"  # base64 of `{"`


class Carried(msgspec.Struct, frozen=True, omit_defaults=True):
    """A signature with whose it is, or a summary.

    `call_id` names the tool call that a signature belongs to, empty for thinking.
    """

    dialect: Dialect | None = msgspec.field(default=None)
    signature: str = ""
    redacted: str = ""
    call_id: str = ""
    summary: str = ""
    carried: int = 0


_carried = msgspec.json.Decoder(Carried)


def wrap(carried: Carried) -> str:
    """Return the text to put into `encrypted_content`."""
    marked = msgspec.structs.replace(carried, carried=1)
    return binascii.b2a_base64(msgspec.json.encode(marked, order="sorted"), newline=False).decode()


def unwrap(text: str) -> Carried | None:
    """Return what a text carries; None where this gateway didn't write it."""
    if not text.startswith(_START):
        return None
    try:
        carried = _carried.decode(binascii.a2b_base64(text, strict_mode=True))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return msgspec.structs.replace(carried, carried=0) if carried.carried else None
