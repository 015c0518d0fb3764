"""What one conversation remembers: its messages, as the JSON they are sent in, and what it has cost."""

from dataclasses import dataclass, field

from kernel.errors import InvalidRequest
from kernel.ids import new_id


@dataclass(slots=True)
class History:
    """Grows by whole turns and never forgets one: where it would grow too large, the client has to reset it."""

    bytes_max: int
    messages_max: int
    id: str = field(default_factory=lambda: new_id("conv"))
    messages: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    cost_nanos: int | None = 0

    def with_question(self, question: list[bytes]) -> list[bytes]:
        """Return all messages with those of a new turn. Raises InvalidRequest where there is no room for an answer."""
        messages = [*self.messages, *question]
        if len(messages) >= self.messages_max:
            raise too_long(f"{self.messages_max} messages")
        if self.size_bytes + sum(map(len, question)) > self.bytes_max:
            raise too_long(f"{self.bytes_max} bytes")
        return messages

    def keep(self, question: list[bytes], answer: bytes) -> None:
        """Take a whole turn in."""
        self.messages += [*question, answer]
        self.size_bytes += sum(map(len, question)) + len(answer)

    def add_cost(self, cost_nanos: int | None) -> None:
        """Count the cost of a turn, whatever became of it; one without a price makes the sum unknown."""
        unknown = self.cost_nanos is None or cost_nanos is None
        self.cost_nanos = None if unknown else (self.cost_nanos or 0) + (cost_nanos or 0)


def too_long(limit: str) -> InvalidRequest:
    """Return the error for a conversation that would outgrow its limit."""
    return InvalidRequest(
        f"The conversation would be longer than {limit}; send reset to begin a new one.", code="conversation_too_long"
    )
