"""What an alert says: one message, written as JSON for machines and as plain text for people."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

import msgspec

from kernel.money import format_usd
from monitoring.models import Alert, new_alert_id

__all__ = ["HeldBack", "Message", "compose", "plain_text", "subject_line", "to_json", "trial_message"]

_SUBJECT_CHARACTERS_MAX = 200


class HeldBack(msgspec.Struct, frozen=True):
    """An alert that was not sent to a channel, mostly because of its cooldown."""

    percent: int
    at: datetime


class Message(msgspec.Struct, frozen=True):
    """What a webhook receives. Amounts are exact decimals in texts; `percent` is the one that was passed.

    `held_back` are alerts about the same counter that were not sent since the last message to this channel.
    """

    type: Literal["budget.threshold", "test"]
    id: str
    at: datetime
    budget: str
    subject: str
    percent: int
    spent_usd: str
    limit_usd: str
    resets_at: datetime | None
    hard: bool
    held_back: tuple[HeldBack, ...] = ()


def compose(alert: Alert, held_back: Iterable[HeldBack] = ()) -> Message:
    """Return the message of an alert."""
    return Message(
        type="budget.threshold",
        id=alert.alert_id,
        at=alert.at,
        budget=alert.budget,
        subject=alert.subject,
        percent=alert.percent,
        spent_usd=format_usd(alert.spent_nanos),
        limit_usd=format_usd(alert.limit_nanos),
        resets_at=alert.resets_at,
        hard=alert.hard,
        held_back=tuple(held_back),
    )


def trial_message(at: datetime) -> Message:
    """Return a message that says of itself that it is a test."""
    return Message(
        type="test",
        id=new_alert_id(),
        at=at,
        budget="Example",
        subject="all together",
        percent=80,
        spent_usd="8",
        limit_usd="10",
        resets_at=None,
        hard=False,
    )


def to_json(message: Message) -> bytes:
    """Return the body of a webhook's request."""
    return msgspec.json.encode(message)


def subject_line(message: Message) -> str:
    """Return the subject of an e-mail, on one line whatever the budget is called."""
    words = f"{message.budget} ({message.subject}): {message.percent} % spent"
    line = " ".join((words if message.type != "test" else f"Test: {words}").split())
    return line[:_SUBJECT_CHARACTERS_MAX]


def plain_text(message: Message) -> str:
    """Return the text of an e-mail."""
    return "\n".join(_lines(message)) + "\n"


def _lines(message: Message) -> Iterator[str]:
    if message.type == "test":
        yield "This is a test. No budget is meant.\n"
    yield f"Budget:  {message.budget} ({'hard' if message.hard else 'soft'})"
    yield f"For:     {message.subject}"
    yield f"Spent:   ${message.spent_usd} of ${message.limit_usd}, past {message.percent} %"
    yield f"At:      {_moment(message.at)}"
    if message.resets_at is not None:
        yield f"Resets:  {_moment(message.resets_at)}"
    yield ""
    yield _consequence(message)
    if message.held_back:
        yield "\nHeld back since the last message:"
        yield from (f"  {one.percent} % at {_moment(one.at)}" for one in message.held_back)
    yield f"\nEvent {message.id}"


def _consequence(message: Message) -> str:
    if not message.hard:
        return "The budget is soft: calls go on."
    if message.percent >= 100:
        return "The budget is hard: calls are refused until it resets or is raised."
    return "The budget is hard: a call that could exceed it is refused."


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
