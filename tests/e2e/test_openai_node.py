"""OpenAI's own Node client against a gateway over the wire: one script a topic, in `node/`."""

import subprocess
from pathlib import Path

import pytest

from tests.services.gateway import Gateway, clean_environment

pytestmark = pytest.mark.e2e
SCRIPTS = Path(__file__).with_name("node")


@pytest.mark.parametrize("topic", ["chat", "streaming", "embeddings", "errors"])
def test_script(gateway: Gateway, node: Path, topic: str) -> None:
    environment = clean_environment() | {"GATEWAY_URL": f"{gateway.base_url}/v1", "GATEWAY_KEY": gateway.keys["main"]}
    done = subprocess.run(
        [str(node), str(SCRIPTS / f"{topic}.mjs")],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
