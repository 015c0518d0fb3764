"""What is written down of attempts and refusals; the journal carries it, the shipper turns it into rows."""

from typing import Literal

import msgspec

from providers.dialects.canonical import Usage

Ending = Literal["completed", "refused", "failed", "cut", "cancelled", "lost"]


class Charge(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A budget's counter that an attempt's cost is posted to, and the slice of its window."""

    counter: str
    slice: int


class AttemptRecord(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One attempt that reached a provider. Instants are nanoseconds since the epoch, spans microseconds.

    `charges` names the budgets it counts against. The record that ends a call under budgets says what the call had
    reserved in all, and what of it was given back unused; other records leave `reserved_nanos` None.

    What is written when an attempt begins has the ending `lost` and an estimate of what it will have used if its
    worker dies: the record stands as it is unless the real one follows.
    """

    attempt_id: str
    request_id: str
    started_at_ns: int
    tenant_id: int
    key_id: int
    operation: str
    route: str
    target: str
    provider: str
    model: str
    ending: Ending
    user_id: int | None = None
    attempt_number: int = 1
    chosen_because: str = ""
    streamed: bool = False
    status: int | None = None
    error_code: str = ""
    finish_reason: str = ""
    usage: Usage = Usage()
    cost_nanos: int | None = None
    price_id: int | None = None
    latency_us: int = 0
    first_byte_us: int | None = None
    charges: tuple[Charge, ...] = ()
    reserved_nanos: int | None = None
    released_nanos: int = 0


class DenialRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """Calls that a limit or budget refused within a moment, for the same reason, to the same key.

    `denial_id` makes it count once; `request_id` is the last such call's. `rule` is the limit's or budget's name,
    `remaining` what was left of it, in its own unit.
    """

    denial_id: str
    request_id: str
    at_ns: int
    tenant_id: int
    key_id: int
    route: str
    code: str
    rule: str
    user_id: int | None = None
    remaining: int = 0
    count: int = 1
