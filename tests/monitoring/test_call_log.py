"""One line a call, with facts and without secrets."""

import logging
from typing import Any

import pytest

from gateway.call import Attempt, Call, Outcome
from kernel.errors import UpstreamTimeout
from monitoring.call_log import CallLog
from tests.builders import SECRET, call, said, target


def ended(caplog: pytest.LogCaptureFixture, *, log_successes: bool, error: Any = None) -> list[dict[str, Any]]:
    made: Call = call(said=said(body=b"the content"))
    attempt = Attempt(number=1, target=target("p", "m"), because="", cost_nanos=1_500)
    made.attempts.append(attempt)
    log = CallLog(log_successes=log_successes)
    with caplog.at_level(logging.INFO, logger="gateway.call"):
        log.attempt_ended(made, attempt)
        log.call_ended(Outcome(made, 504 if error else 200, error, 7_900_000))
    return [vars(entry) for entry in caplog.records]


@pytest.mark.parametrize("log_successes", [False, True])
def test_a_failure_is_always_told(caplog: pytest.LogCaptureFixture, log_successes: bool) -> None:
    [line] = ended(caplog, log_successes=log_successes, error=UpstreamTimeout("slow"))
    assert (line["levelname"], line["error_code"], line["status"]) == ("WARNING", "upstream_timeout", 504)


def test_a_success_where_it_was_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    [line] = ended(caplog, log_successes=True)
    facts = {"request_id": "req_test", "tenant": "t", "key_id": 1, "operation": "chat", "route": "m", "status": 200}
    assert facts.items() <= line.items()
    assert (line["targets"], line["stream"], line["duration_ms"], line["cost_usd"]) == (["p/m"], False, 7, "0.0000015")
    assert "the content" not in str(line)
    assert SECRET not in str(line)


def test_and_nothing_otherwise(caplog: pytest.LogCaptureFixture) -> None:
    assert ended(caplog, log_successes=False) == []
