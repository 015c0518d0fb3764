"""What was refused, gathered for a moment so that a flood of refusals writes a line a second and not one a call."""

import time

from kernel.ids import new_id
from usage.journal.journal import Journal
from usage.records import DenialRecord

KINDS_GATHERED_MAX = 10_000


class DenialLog:
    """Refusals since the last `flush`, by key, route, code and rule."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._gathered: dict[tuple[int, str, str, str], DenialRecord] = {}

    def note(
        self,
        *,
        request_id: str,
        tenant_id: int,
        key_id: int,
        user_id: int | None,
        route: str,
        code: str,
        rule: str,
        remaining: int,
    ) -> None:
        """Add one refusal; where too many kinds have come in a moment, they are written at once."""
        if len(self._gathered) >= KINDS_GATHERED_MAX:
            self.flush()
        name = (key_id, route, code, rule)
        earlier = self._gathered.get(name)
        self._gathered[name] = DenialRecord(
            denial_id=earlier.denial_id if earlier else new_id("den"),
            request_id=request_id,
            at_ns=time.time_ns(),
            tenant_id=tenant_id,
            key_id=key_id,
            user_id=user_id,
            route=route,
            code=code,
            rule=rule,
            remaining=remaining,
            count=earlier.count + 1 if earlier else 1,
        )

    def flush(self) -> None:
        """Write down what was gathered; call it about once a second."""
        gathered, self._gathered = self._gathered, {}
        for record in gathered.values():
            self._journal.append(record)
