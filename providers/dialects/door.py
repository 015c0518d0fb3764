"""What is spoken at one of the gateway's front doors: the dialect, the operation, and who reads and writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from providers.dialects.canonical import Dialect, Operation
from providers.dialects.codec import Front, Heads, Through


@dataclass(frozen=True, slots=True)
class Door:
    """One door, as data.

    `heads` reads what comes before all else; `front` is None for what can't be translated: such a call goes only to
    providers who speak the door's dialect. `through` is None where bytes never pass as they are. `id_prefix` begins the
    ids of answers the gateway has to name. `restate` turns a passed answer into the encoding that the request asks for,
    where the provider took another. `variant` tells apart doors of one dialect and operation. `stream_type` is the
    content type of translated streams. `encode_count` writes the answer of a door that counts tokens.
    """

    dialect: Dialect
    operation: Operation
    heads: Heads
    front: Front[Any, Any] | None = None
    through: Through | None = None
    id_prefix: str = "ans"
    restate: Callable[[bytes, bytes], bytes] | None = None
    variant: str = ""
    stream_type: bytes = b"text/event-stream"
    encode_count: Callable[[int], bytes] | None = None
