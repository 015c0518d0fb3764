"""One call and its attempts, as they grow along the journey, and the outcome that observers hear."""

import time
from typing import Protocol

import msgspec

from kernel.errors import GatewayError
from kernel.ids import new_id
from providers.dialects.canonical import Head, Operation, Usage
from providers.prices import Price
from providers.tokens import OutputBound
from routing.snapshot import Route, Snapshot, Target
from tenants.keys import Caller
from usage.admission import Grant
from usage.policy import ProviderLimit
from usage.records import AttemptRecord, Ending

NOTHING_USED = Usage()


class Call(msgspec.Struct):
    """The client's request: who, what, where to.

    `grant` is what it holds of limits and budgets, None where none applies. `worst_nanos` is the most that one try at
    a target can cost, by its name, worked out where money is reserved. `input_tokens` is what was counted token by
    token, by tokenizer. `longest` and `prices` remember by target what was worked out for the reservation: a call is
    charged at the prices that it was admitted at.
    """

    request_id: str
    operation: Operation
    caller: Caller
    snapshot: Snapshot
    route: Route
    head: Head
    body: bytes
    started_ns: int
    attempts: list["Attempt"] = msgspec.field(default_factory=list)
    grant: Grant | None = None
    worst_nanos: dict[str, int] = msgspec.field(default_factory=dict)
    input_tokens: dict[str, int] = msgspec.field(default_factory=dict)
    max_cost_nanos: int | None = None
    longest: dict[str, OutputBound] = msgspec.field(default_factory=dict)
    prices: dict[str, Price] = msgspec.field(default_factory=dict)

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
    record says what became of the call's reservation.
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
    entered: tuple[ProviderLimit, ...] = ()
    written: bool = False

    def record(self, call: Call) -> AttemptRecord:
        """Return what is written down of this attempt."""
        assert self.ending is not None
        return self._record(call, self.ending, self.usage, self.cost_nanos, self.price_id)

    def record_if_lost(self, call: Call, usage: Usage, cost_nanos: int | None, price_id: int | None) -> AttemptRecord:
        """Return what stands of this attempt if the worker dies now, with an estimate of what it used."""
        return self._record(call, "lost", usage, cost_nanos, price_id)

    def _record(
        self, call: Call, ending: Ending, usage: Usage, cost_nanos: int | None, price_id: int | None
    ) -> AttemptRecord:
        first_byte, grant = self.first_byte_ns, call.grant
        reserved_nanos = grant.reserved_nanos if grant is not None and self.closing else None
        released_nanos = 0
        if reserved_nanos is not None:
            released_nanos = reserved_nanos - (cost_nanos or 0)
            for other in call.attempts:
                released_nanos -= (other.cost_nanos or 0) if other is not self else 0
            released_nanos = max(0, released_nanos)
        return AttemptRecord(
            attempt_id=self.attempt_id,
            request_id=call.request_id,
            started_at_ns=self.started_at_ns,
            tenant_id=call.caller.tenant_id,
            key_id=call.caller.key_id,
            user_id=call.caller.user_id,
            operation=call.operation.value,
            route=call.route.name,
            target=self.target.name,
            provider=self.target.connection.slug,
            model=self.target.model,
            attempt_number=self.number,
            chosen_because=self.because,
            streamed=call.head.stream,
            ending=ending,
            status=self.status,
            error_code=self.error_code,
            finish_reason=self.finish_reason,
            usage=usage,
            cost_nanos=cost_nanos,
            price_id=price_id,
            latency_us=max(0, self.ended_ns - self.started_ns) // 1000,
            first_byte_us=(first_byte - self.started_ns) // 1000 if first_byte is not None else None,
            charges=grant.charges if grant is not None else (),
            reserved_nanos=reserved_nanos,
            released_nanos=released_nanos,
        )


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
