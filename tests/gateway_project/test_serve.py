"""What is refused before anything is served."""

import socket

import pytest

from gateway_project.serve import CannotServe, open_socket, require_shared_counters


def test_several_workers_want_redis() -> None:
    require_shared_counters(workers=1, redis_url="")
    require_shared_counters(workers=4, redis_url="redis://x")
    with pytest.raises(CannotServe, match="REDIS_URL"):
        require_shared_counters(workers=2, redis_url="")


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_are_none(workers: int) -> None:
    with pytest.raises(CannotServe, match="at least 1"):
        require_shared_counters(workers=workers, redis_url="redis://x")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_socket_listens_and_is_inherited(host: str) -> None:
    with open_socket(host, 0) as listener:
        assert listener.get_inheritable()
        with socket.create_connection((host, listener.getsockname()[1]), timeout=5):
            pass


def test_an_address_that_is_taken_is_named() -> None:
    with open_socket("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotServe, match=f"127.0.0.1:{port}"):
            open_socket("127.0.0.1", port)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(CannotServe, match="can't listen"):
        open_socket("127.0.0.1", port)
