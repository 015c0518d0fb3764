"""Open a connection: name, TCP, TLS, and say plainly what went wrong.

Addresses are tried one after the other, IPv6 and IPv4 in turn, each but the last for a short time only: a dead
address must not eat the whole allowance of a connection.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from itertools import chain, zip_longest
from typing import Any, Final, TypeVar

from providers.adapters.http.errors import ConnectFailed
from providers.adapters.http.messages import Origin

ATTEMPT_S: Final = 2.0
"""How long an address may take while another one is left: one lost SYN (sent again after a second) is forgiven."""
KEEPALIVE_IDLE_S: Final = 30
"""A model may think for minutes without a byte; probes keep a NAT's entry alive and find a peer that is gone."""

_HANDSHAKE_S: Final = 600.0  # never the first to fire: the caller's own timeout covers the handshake

Address = tuple[int, tuple[Any, ...]]
P = TypeVar("P", bound=asyncio.BaseProtocol)


async def dial(
    loop: asyncio.AbstractEventLoop, origin: Origin, *, tls: ssl.SSLContext | None, make_protocol: Callable[[], P]
) -> P:
    """Connect and give the protocol, its transport ready. Raises ConnectFailed; the caller sets the time limit."""
    try:
        addresses = await _addresses(loop, origin)
        sock = await _connect_any(loop, addresses)
    except (OSError, UnicodeError) as error:
        raise ConnectFailed(_tcp_failure(origin, error), sent=False) from error
    try:
        _, protocol = await loop.create_connection(
            make_protocol,
            sock=sock,
            ssl=tls,
            server_hostname=origin.host if tls is not None else None,
            ssl_handshake_timeout=_HANDSHAKE_S if tls is not None else None,
        )
    except OSError as error:  # ssl.SSLError is one
        sock.close()
        raise ConnectFailed(_tls_failure(origin, error), sent=False) from error
    except BaseException:
        sock.close()
        raise
    return protocol


def default_tls() -> ssl.SSLContext:
    """Make the context used when the caller brings none: system roots, or SSL_CERT_FILE and SSL_CERT_DIR."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _addresses(loop: asyncio.AbstractEventLoop, origin: Origin) -> list[Address]:
    literal = _literal_address(origin)
    if literal is not None:
        return [literal]
    found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    return _families_in_turn([(int(family), address) for family, _, _, _, address in found])


def _literal_address(origin: Origin) -> Address | None:
    """Recognise an IP address, which needs no look-up and no thread."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, origin.host)
        except OSError:
            continue
        return family, (origin.host, origin.port)
    return None


def _families_in_turn(addresses: list[Address]) -> list[Address]:
    """Keep the resolver's preference for the first and alternate after it."""
    if not addresses:
        return []
    first_family = addresses[0][0]
    preferred = [address for address in addresses if address[0] == first_family]
    others = [address for address in addresses if address[0] != first_family]
    return [address for address in chain.from_iterable(zip_longest(preferred, others)) if address is not None]


async def _connect_any(loop: asyncio.AbstractEventLoop, addresses: list[Address]) -> socket.socket:
    failure: OSError = OSError("the name has no address")
    for position, address in enumerate(addresses):
        is_last = position == len(addresses) - 1
        try:
            async with asyncio.timeout(None if is_last else ATTEMPT_S):
                return await _connect(loop, address)
        except OSError as error:  # TimeoutError is one
            failure = error
    raise failure


async def _connect(loop: asyncio.AbstractEventLoop, address: Address) -> socket.socket:
    sock = socket.socket(address[0], socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
        await loop.sock_connect(sock, address[1])
    except BaseException:
        sock.close()
        raise
    return sock


def _tcp_failure(origin: Origin, error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"cannot resolve the name of {origin}: {error}"
    return f"cannot connect to {origin}: {os.strerror(error.errno) if error.errno else error}"


def _tls_failure(origin: Origin, error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the TLS certificate of {origin} is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS with {origin} failed: {error.reason or error}"
    return f"the connection to {origin} was lost while it was made: {error}"
