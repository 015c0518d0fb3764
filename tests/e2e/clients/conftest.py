"""Official clients against a gateway that has a provider of every kind; each call gets a request id of its own."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e import every_upstream
from tests.services.aimock import Aimock
from tests.services.gateway import Gateway
from tests.services.upstreams import ScriptedUpstream

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def keyed(node: Path) -> Iterator[Aimock]:
    """An upstream that wants the provider's credential."""
    upstream = Aimock(node, api_key=every_upstream.CREDENTIAL)
    yield upstream
    upstream.stop()


@pytest.fixture(scope="session")
def unkeyed(node: Path) -> Iterator[Aimock]:
    """An upstream that serves anybody: what is signed, it can't check."""
    upstream = Aimock(node)
    yield upstream
    upstream.stop()


@pytest.fixture(scope="session")
def every(keyed: Aimock, unkeyed: Aimock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a provider of every kind; leave it as you found it."""
    google, short = ScriptedUpstream(), ScriptedUpstream()
    config = every_upstream.declare(keyed=keyed, unkeyed=unkeyed, google=google, short=short)
    with Gateway(tmp_path_factory.mktemp("every"), config=config) as running:
        yield running
    google.stop()
    short.stop()


@pytest.fixture
def request_id() -> str:
    """A request id that no other call has."""
    return f"client-{next(_numbers)}"


@pytest.fixture
def billed(every: Gateway, request_id: str) -> Callable[..., None]:
    """Require that what was called under the test's request id is in the books: `billed(kind, calls=1)`."""

    def check(kind: str, *, calls: int = 1) -> None:
        every_upstream.assert_billed(every, request_id, kind=kind, calls=calls)

    return check
