"""One call and its attempts, as they grow along the journey, and the outcome that observers hear."""

import time
from typing import Protocol

import msgspec

from kernel.errors import GatewayError
from kernel.ids import new_id
from providers.dialects.canonical import Head, Operation, Usage
from routing.snapshot import Route, Snapshot, Target
from tenants.keys import Caller
from usage.records import AttemptRecord, Ending

NOTHING_USED = Usage()


class Call(msgspec.Struct):
    """The client's request: who, what, where to."""

    request_id: str
    operation: Operation
    caller: Caller
    snapshot: Snapshot
    route: Route
    head: Head
    body: bytes
    started_ns: int
    attempts: list["Attempt"] = msgspec.field(default_factory=list)

    @property
    def cost_nanos(self) -> int | None:
        """Return what all attempts cost; None where one of them has no price."""
        total = 0
        for attempt in self.attempts:
            if attempt.cost_nanos is None:
                return None
            total += attempt.cost_nanos
        return total


class Attempt(msgspec.Struct):
    """One try at one target; `ending` is set once, when it is settled."""

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

    def record(self, call: Call) -> AttemptRecord:
        """Return what is written down of this attempt."""
        assert self.ending is not None
        first_byte = self.first_byte_ns
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
            ending=self.ending,
            status=self.status,
            error_code=self.error_code,
            finish_reason=self.finish_reason,
            usage=self.usage,
            cost_nanos=self.cost_nanos,
            price_id=self.price_id,
            latency_us=(self.ended_ns - self.started_ns) // 1000,
            first_byte_us=(first_byte - self.started_ns) // 1000 if first_byte is not None else None,
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
