"""One JSON line a call: failures always, successes where the deployment asks for them. Never a key, never content."""

import logging

from gateway.call import Attempt, Call, Outcome
from kernel.money import format_usd

logger = logging.getLogger("gateway.call")


class CallLog:
    """Writes the line when a call has ended."""

    def __init__(self, *, log_successes: bool) -> None:
        self._log_successes = log_successes

    def attempt_ended(self, call: Call, attempt: Attempt) -> None:
        """Say nothing yet: the line is the call's."""

    def call_ended(self, outcome: Outcome) -> None:
        """Write the line."""
        if outcome.error is not None:
            logger.warning("call failed", extra=_facts(outcome) | {"error_code": outcome.error.code})
        elif self._log_successes:
            logger.info("call served", extra=_facts(outcome))


def _facts(outcome: Outcome) -> dict[str, object]:
    call = outcome.call
    cost = call.cost_nanos
    return {
        "request_id": call.request_id,
        "tenant": call.caller.tenant_slug,
        "key_id": call.caller.key_id,
        "operation": call.operation.value,
        "route": call.route.name,
        "targets": [attempt.target.name for attempt in call.attempts],
        "status": outcome.status,
        "stream": call.head.stream,
        "duration_ms": outcome.duration_ns // 1_000_000,
        "cost_usd": None if cost is None else format_usd(cost),
    }
