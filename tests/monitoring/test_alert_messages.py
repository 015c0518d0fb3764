"""Messages: exact amounts for machines, sentences for people, one line for a subject."""

import json
from datetime import timedelta

import pytest

from monitoring.alert_messages import HeldBack, compose, plain_text, subject_line, to_json, trial_message
from monitoring.models import Alert
from tests.monitoring.spending import NOW


def alert(**fields: object) -> Alert:
    usual: dict[str, object] = {
        "alert_id": "alr_1",
        "at": NOW,
        "budget": "team",
        "hard": True,
        "percent": 80,
        "subject": "Acme",
        "spent_nanos": 8_100_000_001,
        "limit_nanos": 10_000_000_000,
        "resets_at": NOW + timedelta(days=9),
    }
    return Alert(**(usual | fields))


def test_the_body_of_a_webhook() -> None:
    assert json.loads(to_json(compose(alert(), [HeldBack(50, NOW)]))) == {
        "type": "budget.threshold",
        "id": "alr_1",
        "at": "2026-11-21T12:00:00Z",
        "budget": "team",
        "subject": "Acme",
        "percent": 80,
        "spent_usd": "8.100000001",
        "limit_usd": "10",
        "resets_at": "2026-11-30T12:00:00Z",
        "hard": True,
        "held_back": [{"percent": 50, "at": "2026-11-21T12:00:00Z"}],
    }


def test_the_text_of_a_mail() -> None:
    assert plain_text(compose(alert(), [HeldBack(50, NOW)])) == (
        "Budget:  team (hard)\n"
        "For:     Acme\n"
        "Spent:   $8.100000001 of $10, past 80 %\n"
        "At:      2026-11-21 12:00:00 UTC\n"
        "Resets:  2026-11-30 12:00:00 UTC\n"
        "\n"
        "The budget is hard: a call that could exceed it is refused.\n"
        "\n"
        "Held back since the last message:\n"
        "  50 % at 2026-11-21 12:00:00 UTC\n"
        "\n"
        "Event alr_1\n"
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"percent": 100}, "calls are refused until it resets or is raised"),
        ({"hard": False, "percent": 100}, "calls go on"),
    ],
)
def test_what_follows_from_it(fields: dict[str, object], words: str) -> None:
    assert words in plain_text(compose(alert(resets_at=None, **fields)))


def test_a_subject_is_one_line() -> None:
    assert subject_line(compose(alert(budget="a\r\nBcc: eve@example.org"))) == (
        "a Bcc: eve@example.org (Acme): 80 % spent"
    )
    assert len(subject_line(compose(alert(subject="x" * 500)))) == 200


def test_a_test_says_so() -> None:
    message = trial_message(NOW)
    assert message.type == "test"
    assert message.id.startswith("alr_")
    assert "No budget is meant" in plain_text(message)
