"""What the journey of a call works with: one object, put together at start-up and handed along."""

import logging
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.access import KeyDirectory
from gateway.call import Attempt, Call, Observer, Outcome
from gateway.idempotency.once import Idempotency, build_idempotency
from gateway.responses.base import ResponseStore
from gateway.responses.volatile import VolatileResponses
from gateway.turn import AtOnce, Turn
from providers.adapters.base import Adapter
from routing.snapshot import Snapshot
from usage import admission
from usage.counters.base import Counters
from usage.denials import DenialLog
from usage.journal.journal import Journal
from usage.records import AttemptRecord

RECENT_REQUESTS_MAX = 4096
RECENT_ATTEMPTS_MAX = 64  # of one request: a caller may send the same id with every call

logger = logging.getLogger("gateway.plane")

UsageLookUp = Callable[[str, int], Awaitable[list[AttemptRecord]]]


class RecentUsage:
    """The last attempts of this worker, so that a caller can ask for a cost before it has reached the database."""

    def __init__(self) -> None:
        self._by_request: OrderedDict[tuple[int, str], list[AttemptRecord]] = OrderedDict()

    def add(self, record: AttemptRecord) -> None:
        """Remember an attempt; the oldest request makes room."""
        name = (record.key_id, record.request_id)
        attempts = self._by_request.get(name)
        if attempts is None:
            self._by_request[name] = [record]
        elif len(attempts) <= RECENT_ATTEMPTS_MAX:
            attempts.append(record)
        if len(self._by_request) > RECENT_REQUESTS_MAX:
            self._by_request.popitem(last=False)

    def find(self, *, key_id: int, request_id: str) -> list[AttemptRecord]:
        """Return the attempts of a request by that key, oldest first; none where there are too many to know all."""
        attempts = self._by_request.get((key_id, request_id), ())
        return list(attempts) if len(attempts) <= RECENT_ATTEMPTS_MAX else []


@dataclass(slots=True)
class DataPlane:
    """`snapshot` is replaced whole when the configuration changes; a call keeps the one it began with.

    `usage_of_request` asks the database for the attempts of a request by a key. Raises Unavailable.
    """

    snapshot: Snapshot
    keys: KeyDirectory
    adapters: Mapping[str, Adapter]
    journal: Journal
    counters: Counters
    denials: DenialLog
    usage_of_request: UsageLookUp
    idempotency: Idempotency = field(default_factory=lambda: build_idempotency(""))
    responses: ResponseStore = field(default_factory=VolatileResponses)
    usual_output_cap: int = 4096
    observers: Sequence[Observer] = ()
    chance: random.Random = field(default_factory=random.Random)
    turn: Turn = field(default_factory=AtOnce)
    recent: RecentUsage = field(default_factory=RecentUsage)

    def attempt_ended(self, call: Call, attempt: Attempt) -> None:
        """Write an attempt down and tell the observers; one that fails is logged and changes nothing."""
        record = attempt.record(call)
        attempt.written = True
        self.journal.end(attempt.slot, record)
        if attempt.entered:
            admission.leave_provider(self.counters, attempt.entered)
        self.recent.add(record)
        for observer in self.observers:
            try:
                observer.attempt_ended(call, attempt)
            except Exception:
                logger.exception("observer failed", extra={"request_id": call.request_id})

    def call_ended(self, outcome: Outcome) -> None:
        """Give back what the call held and did not use, and tell the observers."""
        call = outcome.call
        if call.grant is not None:
            tokens = posted_nanos = 0
            for attempt in call.attempts:
                tokens += attempt.usage.input_tokens + attempt.usage.output_tokens
                posted_nanos += attempt.cost_nanos or 0
            call.grant.settle(self.counters, posted_nanos=posted_nanos, tokens=tokens)
        for observer in self.observers:
            try:
                observer.call_ended(outcome)
            except Exception:
                logger.exception("observer failed", extra={"request_id": outcome.call.request_id})
