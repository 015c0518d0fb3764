"""Turns to keep, and a clock that stands still until it is moved."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.responses.base import KEPT_FOR, StoredTurn

BEGINNING = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    """Tells the moment that it was set to."""

    def __init__(self) -> None:
        self.moment = BEGINNING

    def __call__(self) -> datetime:
        return self.moment

    def pass_time(self, by: timedelta) -> None:
        """Move on."""
        self.moment += by


def turn(name: str, previous: str = "", *, tenant_id: int = 1, text: str = "", **fields: Any) -> StoredTurn:
    """Return a turn in which `name` was said and answered."""
    said = json.dumps([{"type": "message", "id": f"msg_{name}", "text": text or name}], ensure_ascii=False)
    answered = json.dumps({"id": name, "output": [{"type": "message", "id": f"msg_{name}_0"}]})
    values: dict[str, Any] = {
        "id": name,
        "tenant_id": tenant_id,
        "key_id": 7,
        "created_at": BEGINNING,
        "expires_at": BEGINNING + KEPT_FOR,
        "input": said.encode(),
        "response": answered.encode(),
        "previous_id": previous,
    }
    return StoredTurn(**(values | fields))
