"""The contracts of a dialect: what it does at the front, at the back, and where both sides speak it.

Front: a client speaks it to the gateway. Requests are read, answers and errors are written.
Back: the gateway speaks it to a provider. Requests are written, answers and errors are read.
Through: client and provider both speak it. Bytes pass as they are; only what must change is patched, and what
accounting needs is read on the way.

`Q` and `A` are the request and answer of the hub that the dialect translates to: `conversation`, `embedding`, … Each
(dialect, operation) has up to one of each contract: a list of the dialect's functions, made in its `codec` module;
`providers.dialects.table` and `doors` list them. All of it is pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

import msgspec

from kernel.errors import GatewayError, UpstreamBroken
from providers.dialects.canonical import Capabilities, Head, Prompt, Usage
from providers.dialects.conversation import Event

Q = TypeVar("Q")
A = TypeVar("A")
T = TypeVar("T")

HeaderOf = Callable[[bytes], bytes | None]  # a header's value by its lower-case name
CostOf = Callable[[Usage], bytes | None]  # usage -> USD as a JSON number, None where there is no price


class PathFacts(msgspec.Struct, frozen=True):
    """What a request says outside of its body; Gemini's names the model and the stream in its path."""

    model: str = ""
    stream: bool = False


NO_FACTS = PathFacts()


class Asked(msgspec.Struct, frozen=True):
    """What writing an answer needs besides the answer itself.

    `answer_id` and `model` stand in where the provider names none; `created_at_s` is in seconds since the epoch.
    `body` is the client's request, for dialects whose answers repeat it.
    """

    head: Head
    body: bytes
    model: str
    answer_id: str
    created_at_s: int


class Upstream(msgspec.Struct, frozen=True):
    """What a request is written for: a model, what it can do, and how its server likes some fields.

    `cap` is the most output tokens a choice may have where the gateway has reserved for that, else None. `cap_fields`
    are the fields the server knows for it (OpenAI's dialect has two spellings). `ask_usage` tells that the stream has
    to be asked for its usage. `api_version` is the version the body is for, where the dialect has several; `spelling`
    names a vendor's way with the names of fields, where it differs from the dialect's.
    """

    model: str
    capabilities: Capabilities
    cap: int | None = None
    cap_fields: tuple[str, ...] = ("max_completion_tokens", "max_tokens")
    ask_usage: bool = False
    api_version: str = ""
    spelling: str = ""


class Encoded(msgspec.Struct, frozen=True):
    """A request in a provider's dialect, and what of it could not be said there.

    `unsupported` names fields that would have changed the answer (the route decides whether the call is refused or made
    without them); `ignored` names fields that would not (user, metadata, hints for the vendor's cache or books). Both
    by the names the client used: `seed`, `tools[0].strict`.
    """

    body: bytes
    unsupported: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True):
    """What accounting needs of an answer; `output_bytes` measures the text where no usage is reported."""

    usage: Usage | None = None
    finish_reason: str = ""
    output_bytes: int = 0


class ErrorReport(msgspec.Struct, frozen=True):
    """What a provider's error answer says, in the gateway's words.

    `code` is one of the gateway's where it has one: context_length_exceeded, content_filter, rate_limit_exceeded,
    insufficient_quota, model_not_found, invalid_api_key, permission_denied, upstream_overloaded, invalid_request,
    else the provider's own. `retryable` is None where the status decides. `own_envelope` tells that the body is the
    dialect's own error envelope, which its clients understand as it is.
    """

    message: str
    code: str
    retryable: bool | None = None
    retry_after_s: float | None = None
    own_envelope: bool = False


class StreamDecoder(Protocol):
    """Reads a provider's stream. Any cut of the bytes gives the same events in all."""

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes finish; Failed, and nothing after it, where they are none."""

    def end(self) -> list[Event]:
        """Return what is still owed when the bytes have ended properly: Ended, or Failed for a stream cut short."""


class StreamEncoder(Protocol):
    """Writes a client's stream."""

    def encode(self, events: list[Event]) -> bytes:
        """Return the bytes that say these events, perhaps none yet. Ended writes what has to stand at the end."""

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the bytes that end the stream with an error."""


class StreamReader(Protocol):
    """Takes a provider's bytes and gives what the client gets; what the relay works with.

    `accepts` is what the provider's content type has to start with, empty where anything will do; `content_type` is
    what the client is told, empty for the provider's own. `done` says that the answer is whole, `failure` why it broke.
    """

    @property
    def accepts(self) -> bytes:
        """Return how the provider's content type has to begin."""

    @property
    def content_type(self) -> bytes:
        """Return what the client is told."""

    @property
    def usage(self) -> Usage | None:
        """Return what was used as far as the provider has said; None where it hasn't."""

    @property
    def finish_reason(self) -> str:
        """Return why the answer ended, "" where nobody said."""

    @property
    def output_bytes(self) -> int:
        """Return how much text has passed."""

    @property
    def done(self) -> bool:
        """Tell whether the answer is whole."""

    @property
    def failure(self) -> UpstreamBroken | None:
        """Return why the answer broke."""

    def feed(self, data: bytes) -> bytes:
        """Return what to send on for these bytes, perhaps nothing yet; sets `failure` and never raises."""

    def end(self) -> bytes:
        """Return what is still owed when the upstream has ended properly. Raises UpstreamBroken for a cut."""

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the bytes that end the client's stream with an error."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Reads what is needed of a request before it is known where it goes.

    `decode_head` returns what routing needs, and raises InvalidRequest that names the field. `read_prompt` returns what
    the model reads, for counting, of a request whose head was decoded without complaint.
    """

    decode_head: Callable[[bytes, PathFacts], Head]
    read_prompt: Callable[[bytes], Prompt]


@dataclass(frozen=True, slots=True)
class Front(Heads, Generic[Q, A]):
    """A dialect as clients speak it.

    `decode_request` raises InvalidRequest that names the field. `encode_answer` writes a whole answer, `encoder`
    returns what writes a stream.
    """

    decode_request: Callable[[bytes, PathFacts], Q]
    encode_answer: Callable[[A, Asked], bytes]
    encoder: Callable[[Asked, CostOf], StreamEncoder]


@dataclass(frozen=True, slots=True)
class Back(Generic[Q, A]):
    """A dialect as providers speak it; `stream_type` is the content type of its streams.

    `encode_request` raises InvalidRequest for content that the model can't take, which no policy may drop.
    `decode_answer` reads a whole answer, and raises UpstreamBroken where the bytes are none; `decoder` returns what
    reads a stream. `read_error` returns what an error answer says, by its status, headers and body; None where it is
    none of the dialect's.
    """

    encode_request: Callable[[Q, Upstream], Encoded]
    decode_answer: Callable[[bytes], A]
    decoder: Callable[[], StreamDecoder]
    read_error: Callable[[int, HeaderOf, bytes], ErrorReport | None]
    stream_type: bytes = b"text/event-stream"


class Patch(Protocol):
    """Changes what must change in a body on its way to a provider who speaks the client's dialect."""

    def __call__(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        """Return the body with the upstream's model and cap; every other value keeps its bytes.

        With `once` a field that stood twice stands once, as it was read: no provider can be led past what was reserved.
        """


def all_spoken(body: bytes, upstream: Upstream) -> tuple[str, ...]:
    """Return nothing: every field of a body passes."""
    return ()


@dataclass(frozen=True, slots=True)
class Through:
    """A dialect where both sides speak it.

    `read_facts` returns what accounting needs of a whole answer, and raises UpstreamBroken where the bytes are none;
    `reader` returns what passes a stream on. `unspoken` names the fields of a body that `patch` drops, because the
    upstream's spelling of the dialect has none for them.
    """

    patch: Patch
    read_facts: Callable[[bytes], Facts]
    reader: Callable[[Head, CostOf], StreamReader]
    unspoken: Callable[[bytes, Upstream], tuple[str, ...]] = all_spoken


class EncodeError(Protocol):
    """Writes the envelope of an error."""

    def __call__(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the envelope."""


@dataclass(frozen=True, slots=True)
class ErrorWriter:
    """How a dialect's clients are told of an error: its envelope, and the status that the dialect has for it."""

    encode_error: EncodeError
    status_of: Callable[[GatewayError], int] = attrgetter("status")


def of_body(read: Callable[[bytes], T]) -> Callable[[bytes, PathFacts], T]:
    """Return a reader of requests that say everything in their body."""
    return lambda body, path: read(body)
