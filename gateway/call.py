"""One call and its attempts, as they grow along the journey, and the outcome that observers hear."""

import time
from typing import Protocol

import msgspec
from msgspec.structs import replace

from gateway.uploads import Upload
from kernel.errors import GatewayError
from kernel.ids import new_id
from providers.dialects.canonical import Head, Operation, Usage
from providers.prices import Price
from providers.tokens import OutputBound
from routing.attempts.wire import Said
from routing.snapshot import Route, Snapshot, Target
from tenants.keys import Caller
from usage.admission import Grant, Refusal
from usage.policy import ProviderLimit
from usage.records import AttemptRecord, Ending

NOTHING_USED = Usage()


class Call(msgspec.Struct):
    """The client's request: who, what, where to.

    `grant` is what it holds of limits and budgets, None where none applies; `refusal` what they answered instead.
    `worst_nanos` is the most that one try at a target can cost, by its name, worked out where money is reserved.
    `input_tokens` is what was counted token by token, by tokenizer. `longest` and `prices` remember by target what was
    worked out for the reservation: a call is charged at the prices that it was admitted at.
    """

    request_id: str
    caller: Caller
    snapshot: Snapshot
    route: Route
    said: Said
    started_ns: int
    attempts: list["Attempt"] = msgspec.field(default_factory=list)
    grant: Grant | None = None
    refusal: Refusal | None = None
    worst_nanos: dict[str, int] = msgspec.field(default_factory=dict)
    input_tokens: dict[str, int] = msgspec.field(default_factory=dict)
    max_cost_nanos: int | None = None
    longest: dict[str, OutputBound] = msgspec.field(default_factory=dict)
    prices: dict[str, Price] = msgspec.field(default_factory=dict)
    upload: Upload | None = None

    @property
    def operation(self) -> Operation:
        """Return what the call asks for."""
        return self.said.door.operation

    @property
    def head(self) -> Head:
        """Return what routing needs of the request."""
        return self.said.head

    @property
    def body(self) -> bytes:
        """Return the request as the client wrote it."""
        return self.said.body

    @property
    def cost_nanos(self) -> int | None:
        """Return what all attempts cost; None where one of them has no price."""
        total = 0
        for attempt in self.attempts:
            if attempt.cost_nanos is None:
                return None
            total += attempt.cost_nanos
        return total

    @property
    def posted_nanos(self) -> int:
        """Return what the attempts that have ended cost, as far as it is known."""
        return sum([attempt.cost_nanos or 0 for attempt in self.attempts])


class Attempt(msgspec.Struct):
    """One try at one target; `ending` is set once, when it is settled.

    `slot` is its place among the journal's attempts under way. `closing` tells that no other try follows, so that its
    record says what became of the call's reservation. `lost` names what its provider could not be told.
    """

    number: int
    target: Target
    because: str
    attempt_id: str = msgspec.field(default_factory=lambda: new_id("att"))
    started_at_ns: int = msgspec.field(default_factory=time.time_ns)
    started_ns: int = msgspec.field(default_factory=time.perf_counter_ns)
    first_byte_ns: int | None = None
    ended_ns: int = 0
    ending: Ending | None = None
    status: int | None = None
    error_code: str = ""
    finish_reason: str = ""
    usage: Usage = NOTHING_USED
    price_id: int | None = None
    cost_nanos: int | None = 0
    slot: int = -1
    closing: bool = True
    begun: AttemptRecord | None = None
    entered: tuple[ProviderLimit, ...] = ()
    written: bool = False
    lost: tuple[str, ...] = ()

    def record(self, call: Call) -> AttemptRecord:
        """Return what is written down of this attempt."""
        assert self.ending is not None
        reserved_nanos, released_nanos = self._held(call, self.cost_nanos)
        return replace(
            self._begun(call),
            ending=self.ending,
            status=self.status,
            error_code=self.error_code,
            finish_reason=self.finish_reason,
            usage=self.usage,
            cost_nanos=self.cost_nanos,
            price_id=self.price_id,
            latency_us=max(0, self.ended_ns - self.started_ns) // 1000,
            first_byte_us=self._first_byte_us(),
            reserved_nanos=reserved_nanos,
            released_nanos=released_nanos,
        )

    def record_if_lost(self, call: Call, usage: Usage, cost_nanos: int | None, price_id: int | None) -> AttemptRecord:
        """Return what stands of this attempt if the worker dies now, with an estimate of what it used."""
        reserved_nanos, released_nanos = self._held(call, cost_nanos)
        return replace(
            self._begun(call),
            usage=usage,
            cost_nanos=cost_nanos,
            price_id=price_id,
            first_byte_us=self._first_byte_us(),
            reserved_nanos=reserved_nanos,
            released_nanos=released_nanos,
        )

    def _begun(self, call: Call) -> AttemptRecord:
        """Return what is known from the beginning, made once: every record of this attempt is a variation of it."""
        if self.begun is None:
            self.begun = AttemptRecord(
                attempt_id=self.attempt_id,
                request_id=call.request_id,
                started_at_ns=self.started_at_ns,
                tenant_id=call.caller.tenant_id,
                key_id=call.caller.key_id,
                operation=call.operation.value,
                route=call.route.name,
                target=self.target.name,
                provider=self.target.connection.slug,
                model=self.target.model,
                ending="lost",
                user_id=call.caller.user_id,
                attempt_number=self.number,
                chosen_because=self.because,
                streamed=call.head.stream,
                charges=call.grant.charges if call.grant is not None else (),
            )
        return self.begun

    def _first_byte_us(self) -> int | None:
        return None if self.first_byte_ns is None else (self.first_byte_ns - self.started_ns) // 1000

    def _held(self, call: Call, cost_nanos: int | None) -> tuple[int | None, int]:
        """Return what the call had reserved and what of it nobody used; None and 0 where another record says so."""
        grant = call.grant
        if grant is None or grant.reserved_nanos is None or not self.closing:
            return None, 0
        used_nanos = cost_nanos or 0
        if len(call.attempts) > 1:
            used_nanos += sum([other.cost_nanos or 0 for other in call.attempts if other is not self])
        return grant.reserved_nanos, max(0, grant.reserved_nanos - used_nanos)


class Outcome(msgspec.Struct, frozen=True):
    """How a call ended; `status` is what the client saw at the head of the answer."""

    call: Call
    status: int
    error: GatewayError | None
    duration_ns: int


class Observer(Protocol):
    """Hears of every attempt and every call; taking it away changes nothing for the caller."""

    def attempt_ended(self, call: Call, attempt: Attempt) -> None:
        """Note one attempt."""

    def call_ended(self, outcome: Outcome) -> None:
        """Note one call."""
