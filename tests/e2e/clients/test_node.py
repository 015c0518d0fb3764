"""Clients for Node against the kinds of upstream: one script a client, in `node/clients/`."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.every_upstream import MAIN, assert_billed
from tests.services.browsers import NODE_PROJECT
from tests.services.gateway import Gateway, clean_environment

pytestmark = pytest.mark.e2e
SCRIPTS = NODE_PROJECT / "clients"


@pytest.mark.parametrize("client", ["openai", "anthropic", "google", "ai_sdk"])
def test_client(every: Gateway, node: Path, client: str) -> None:
    environment = clean_environment() | {
        "GATEWAY_URL": every.base_url,
        "GATEWAY_KEY": every.keys["main"],
        "GATEWAY_KINDS": ",".join(MAIN),
    }
    done = subprocess.run(
        [str(node), str(SCRIPTS / f"{client}.mjs")],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    called = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert {call["kind"] for call in called} == set(MAIN)
    for call in called:
        assert_billed(every, call["id"], kind=call["kind"], calls=call["calls"])
