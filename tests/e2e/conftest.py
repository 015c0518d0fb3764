"""The test bed: upstreams that are processes and sockets, a gateway that is a process, and its log where a test fails.

One gateway serves all the tests of a session that leave it as they found it; a test that breaks or stops a gateway
starts its own. Under pytest-xdist every worker has its own of everything.
"""

import logging
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.services.declared import CREDENTIAL, ClosedPort, declare
from tests.services.gateway import Gateway
from tests.services.upstreams import MockUpstream, ScriptedUpstream

LOG_SHOWN_CHARACTERS = 8_000
logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line a request would bury what a failure shows


@pytest.fixture(scope="session")
def remote() -> Iterator[MockUpstream]:
    """The mock as somebody else's process, which wants the provider's credential."""
    upstream = MockUpstream(api_key=CREDENTIAL)
    yield upstream
    upstream.stop()


@pytest.fixture(scope="session")
def scripted() -> Iterator[ScriptedUpstream]:
    """A server that says whatever bytes a test tells it to."""
    upstream = ScriptedUpstream()
    yield upstream
    upstream.stop()


@pytest.fixture(scope="session")
def closed_port() -> Iterator[ClosedPort]:
    """A port that refuses connections."""
    port = ClosedPort()
    yield port
    port.close()


@pytest.fixture(scope="session")
def config(remote: MockUpstream, scripted: ScriptedUpstream, closed_port: ClosedPort) -> dict[str, Any]:
    """What the gateways of these tests are configured with."""
    return declare(remote=remote, scripted=scripted, closed=closed_port)


@pytest.fixture(scope="session")
def gateway(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway on SQLite with one worker; leave it as you found it."""
    with Gateway(tmp_path_factory.mktemp("gateway"), config=config) as running:
        yield running


@pytest.fixture(scope="session")
def cluster(
    config: dict[str, Any], postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway on PostgreSQL and Redis with two workers; leave it as you found it."""
    services = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url}
    directory = tmp_path_factory.mktemp("cluster")
    with Gateway(directory, config=config, workers=2, environment=services) as running:
        yield running


@pytest.fixture(params=["gateway", "cluster"])
def either(request: pytest.FixtureRequest) -> Gateway:
    """Each of the two gateways in turn."""
    found: Gateway = request.getfixturevalue(request.param)
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Gateway):
                report.sections.append((f"log of {name}", value.log[-LOG_SHOWN_CHARACTERS:]))
    return report
