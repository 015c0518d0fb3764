"""The contracts of a dialect: what it does at the front, at the back, and where both sides speak it.

Front: a client speaks it to the gateway. Requests are read, answers and errors are written.
Back: the gateway speaks it to a provider. Requests are written, answers and errors are read.
Through: client and provider both speak it. Bytes pass as they are; only what must change is patched, and what
accounting needs is read on the way.

`Q` and `A` are the request and answer of the hub that the dialect translates to: `conversation`, `embedding`, … Each
(dialect, operation) has up to one of each contract; `providers.dialects.table` lists them. All of it is pure.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from kernel.errors import GatewayError, UpstreamBroken
from providers.dialects.canonical import Capabilities, Head, Prompt, Usage
from providers.dialects.conversation import Event

Q = TypeVar("Q")
A = TypeVar("A")
Q_co = TypeVar("Q_co", covariant=True)
A_co = TypeVar("A_co", covariant=True)
Q_contra = TypeVar("Q_contra", contravariant=True)
A_contra = TypeVar("A_contra", contravariant=True)

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


class Heads(Protocol):
    """Reads what is needed of a request before it is known where it goes."""

    def decode_head(self, body: bytes, path: PathFacts) -> Head:
        """Return what routing needs. Raises InvalidRequest that names the field."""

    def read_prompt(self, body: bytes) -> Prompt:
        """Return what the model reads, for counting, of a request whose head was decoded without complaint."""


class Front(Heads, Protocol[Q_co, A_contra]):
    """A dialect as clients speak it."""

    def decode_request(self, body: bytes, path: PathFacts) -> Q_co:
        """Return the request. Raises InvalidRequest that names the field."""

    def encode_answer(self, answer: A_contra, asked: Asked) -> bytes:
        """Return the body of a whole answer."""

    def encoder(self, asked: Asked, cost_of: CostOf) -> StreamEncoder:
        """Return what writes a stream."""


class Back(Protocol[Q_contra, A_co]):
    """A dialect as providers speak it. `stream_type` is the content type of its streams, `accept` what is asked for."""

    stream_type: bytes

    def encode_request(self, request: Q_contra, upstream: Upstream) -> Encoded:
        """Return the body. Raises InvalidRequest for content that the model can't take, which no policy may drop."""

    def decode_answer(self, body: bytes) -> A_co:
        """Return a whole answer. Raises UpstreamBroken where the bytes are none."""

    def decoder(self) -> StreamDecoder:
        """Return what reads a stream."""

    def read_error(self, status: int, header: HeaderOf, body: bytes) -> ErrorReport | None:
        """Return what an error answer says; None where it is none of the dialect's."""


class Through(Protocol):
    """A dialect where both sides speak it."""

    def patch(self, body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
        """Return the body with the upstream's model and cap; every other value keeps its bytes.

        With `once` a field that stood twice stands once, as it was read: no provider can be led past what was reserved.
        """

    def read_facts(self, body: bytes) -> Facts:
        """Return what accounting needs of a whole answer. Raises UpstreamBroken where the bytes are none."""

    def reader(self, head: Head, cost_of: CostOf) -> StreamReader:
        """Return what passes a stream on."""


class ErrorWriter(Protocol):
    """How a dialect's clients are told of an error: status, envelope, headers."""

    def status_of(self, error: GatewayError) -> int:
        """Return the status that the dialect has for it."""

    def encode_error(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the envelope."""
