import asyncio
import socket
import ssl
from typing import cast

import pytest
import trustme

from providers.adapters.http import ConnectFailed, ConnectTimeout, HttpClient, Origin, Timeouts, TotalTimeout, dialing
from tests.providers.adapters.http.loopback import OK, LoopbackServer, Peer, ask, forever_ok, saying


class Certificates:
    """A certificate authority of the test's own."""

    def __init__(self) -> None:
        self.authority = trustme.CA()

    def server(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*names).configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def test_speaks_tls_and_keeps_the_connection(certificates: Certificates) -> None:
    async with (
        LoopbackServer(forever_ok, tls=certificates.server("127.0.0.1")) as server,
        HttpClient(ssl_context=certificates.client()) as client,
    ):
        for _ in range(3):
            async with await client.send(ask(server.origin, body=b"x" * 300_000)) as response:
                assert await response.read(2) == b"ok"
        assert len(server.peers) == 1


async def test_sends_the_server_name(certificates: Certificates) -> None:
    names: list[str | None] = []
    context = certificates.server("localhost")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    async with (
        LoopbackServer(forever_ok, tls=context) as server,
        HttpClient(ssl_context=certificates.client()) as client,
    ):
        origin = Origin("https", "localhost", server.origin.port)
        async with await client.send(ask(origin)) as response:
            assert await response.read(2) == b"ok"
    assert names == ["localhost"]


async def test_respects_ssl_cert_file(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = tmp_path_factory.mktemp("roots") / "roots.pem"
    certificates.authority.cert_pem.write_to_path(str(roots))
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    async with (
        LoopbackServer(forever_ok, tls=certificates.server("127.0.0.1")) as server,
        HttpClient() as client,
        await client.send(ask(server.origin)) as response,
    ):
        assert await response.read(2) == b"ok"


async def test_an_unknown_authority_is_named(certificates: Certificates) -> None:
    async with LoopbackServer(forever_ok, tls=certificates.server("127.0.0.1")) as server, HttpClient() as client:
        with pytest.raises(ConnectFailed, match=r"certificate of https://127.0.0.1:\d+ is not accepted: ") as caught:
            await client.send(ask(server.origin))
    assert not caught.value.sent


async def test_a_certificate_for_another_name_is_refused(certificates: Certificates) -> None:
    async with (
        LoopbackServer(forever_ok, tls=certificates.server("other.example")) as server,
        HttpClient(ssl_context=certificates.client()) as client,
    ):
        with pytest.raises(ConnectFailed, match=r"not accepted: .*mismatch"):
            await client.send(ask(server.origin))


async def test_plain_http_where_tls_is_expected_fails_to_connect(certificates: Certificates) -> None:
    async with LoopbackServer(saying(OK)) as server, HttpClient(ssl_context=certificates.client()) as client:

        async def rude(peer: Peer) -> None:
            await peer.reader.read(1)
            await peer.say(OK)

        server._handler = rude
        with pytest.raises(ConnectFailed, match="TLS with") as caught:
            await client.send(ask(Origin("https", "127.0.0.1", server.origin.port)))
        assert not caught.value.sent


async def test_a_peer_that_hangs_up_in_the_handshake_fails_to_connect(certificates: Certificates) -> None:
    async def rude(peer: Peer) -> None:
        await peer.reader.read(1)

    async with LoopbackServer(rude) as server, HttpClient(ssl_context=certificates.client()) as client:
        with pytest.raises(ConnectFailed) as caught:
            await client.send(ask(Origin("https", "127.0.0.1", server.origin.port)))
        assert not caught.value.sent


@pytest.mark.parametrize(
    ("timeouts", "error"),
    [(Timeouts(connect_s=0.1), ConnectTimeout), (Timeouts(total_s=0.1), TotalTimeout)],
)
async def test_a_handshake_that_stalls_times_out_and_closes(
    certificates: Certificates, timeouts: Timeouts, error: type[Exception]
) -> None:
    gone = asyncio.Event()

    async def silent(peer: Peer) -> None:
        await peer.gone()
        gone.set()

    async with LoopbackServer(silent) as server, HttpClient(ssl_context=certificates.client()) as client:
        with pytest.raises(error) as caught:
            await client.send(ask(Origin("https", "127.0.0.1", server.origin.port), timeouts=timeouts))
        assert not getattr(caught.value, "sent", True)
        async with asyncio.timeout(5):
            await gone.wait()


async def test_cancelling_in_the_handshake_closes_the_socket_at_once(certificates: Certificates) -> None:
    loop = asyncio.get_running_loop()
    begun = asyncio.Event()
    gone_at = loop.create_future()

    async def silent(peer: Peer) -> None:
        await peer.reader.read(1)
        begun.set()
        await peer.gone()
        gone_at.set_result(loop.time())

    async with (
        LoopbackServer(silent) as server,
        HttpClient(ssl_context=certificates.client()) as client,
        asyncio.timeout(5),
    ):
        task = asyncio.ensure_future(client.send(ask(Origin("https", "127.0.0.1", server.origin.port))))
        await begun.wait()
        cancelled_at = loop.time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone_at - cancelled_at < 0.1


async def test_a_refused_connection_is_told_plainly(client: HttpClient) -> None:
    with pytest.raises(ConnectFailed, match=r"cannot connect to http://127.*refused") as caught:
        await client.send(ask(Origin("http", "127.0.0.1", closed_port())))
    assert not caught.value.sent


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
async def test_a_name_that_does_not_resolve_is_told_plainly(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(*_: object) -> object:
        raise error

    monkeypatch.setattr(dialing, "_addresses", fail)
    with pytest.raises(ConnectFailed, match="cannot resolve the name of http://nowhere") as caught:
        await client.send(ask(Origin("http", "nowhere.example", 80)))
    assert not caught.value.sent


async def test_an_address_that_answers_is_found_behind_one_that_does_not(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = closed_port()
    async with LoopbackServer(forever_ok) as server:

        async def two(*_: object) -> list[tuple[int, tuple[str, int]]]:
            return [(socket.AF_INET, ("127.0.0.1", dead)), (socket.AF_INET, ("127.0.0.1", server.origin.port))]

        monkeypatch.setattr(dialing, "_addresses", two)
        async with await client.send(ask(Origin("http", "two.example", 80))) as response:
            assert await response.read(2) == b"ok"


async def test_a_silent_address_does_not_eat_the_whole_time(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A listener whose queue is full drops further SYNs: the connection neither opens nor is refused.
    with socket.socket() as deaf, socket.socket() as filler, socket.socket() as second_filler:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for sock in (filler, second_filler):
            sock.setblocking(False)
            sock.connect_ex(deaf.getsockname())
        async with LoopbackServer(forever_ok) as server:

            async def two(*_: object) -> list[tuple[int, tuple[str, int]]]:
                return [(socket.AF_INET, deaf.getsockname()), (socket.AF_INET, ("127.0.0.1", server.origin.port))]

            monkeypatch.setattr(dialing, "_addresses", two)
            monkeypatch.setattr(dialing, "ATTEMPT_S", 0.1)
            async with await client.send(ask(Origin("http", "two.example", 80))) as response:
                assert await response.read(2) == b"ok"

            async def one(*_: object) -> list[tuple[int, tuple[str, int]]]:
                return [(socket.AF_INET, deaf.getsockname())]

            monkeypatch.setattr(dialing, "_addresses", one)
            with pytest.raises(ConnectTimeout) as caught:
                await client.send(ask(Origin("http", "one.example", 80), timeouts=Timeouts(connect_s=0.1)))
            assert not caught.value.sent


async def test_ipv6_literals(client: HttpClient) -> None:
    heads: list[bytes] = []

    async def handle(peer: Peer) -> None:
        heads.append((await peer.request())[0])
        await peer.say(OK)

    try:
        server = await LoopbackServer(handle, host="::1").__aenter__()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    try:
        origin, _ = Origin.parse(f"http://[::1]:{server.origin.port}")
        async with await client.send(ask(origin)) as response:
            assert await response.read(2) == b"ok"
    finally:
        await server.__aexit__()
    assert f"Host: [::1]:{origin.port}\r\n".encode() in heads[0]


async def test_names_resolve_through_the_loop(client: HttpClient) -> None:
    async with (
        LoopbackServer(forever_ok) as server,
        await client.send(ask(Origin("http", "localhost", server.origin.port))) as response,
    ):
        assert await response.read(2) == b"ok"


async def test_sockets_send_small_writes_at_once_and_probe_silent_peers() -> None:
    async with LoopbackServer(forever_ok) as server:
        loop = asyncio.get_running_loop()
        protocol = await dialing.dial(loop, server.origin, tls=None, make_protocol=KeepTransport)
        sock = protocol.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        protocol.transport.abort()
        await protocol.lost


class KeepTransport(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.lost = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)


def test_families_take_turns_after_the_resolvers_first_choice() -> None:
    four, six = [(socket.AF_INET, (str(i), 1)) for i in range(3)], [(socket.AF_INET6, ("::1", 1))]
    assert dialing._families_in_turn([*four, *six]) == [four[0], six[0], four[1], four[2]]
    assert dialing._families_in_turn([*six, *four]) == [six[0], four[0], four[1], four[2]]
    assert dialing._families_in_turn([]) == []
