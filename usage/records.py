"""What is written down of one attempt; the journal carries it, the shipper turns it into a UsageRecord."""

from typing import Literal

import msgspec

from providers.dialects.canonical import Usage

Ending = Literal["completed", "refused", "failed", "cut", "cancelled"]


class AttemptRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt that reached a provider. Instants are nanoseconds since the epoch, spans microseconds."""

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
