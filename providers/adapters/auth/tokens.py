"""Short-lived tokens: fetched in a thread, one fetch at a time, kept until shortly before they expire.

Vendors' libraries block on the network while they fetch, so they never run on the event loop. Tokens are kept by
credential: a new snapshot has new connections and should not make every worker sign in again.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from providers.adapters.auth.base import CredentialBroken
from providers.adapters.connection import Connection, Headers
from providers.adapters.refusals import refused_credential

logger = logging.getLogger("providers.auth")

RENEWED_BEFORE_S = 300.0
FETCH_S = 20.0
FAILURE_KEPT_S = 5.0
_CREDENTIALS_MAX = 1024


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and the moment it ends, in seconds since the epoch."""

    value: str = field(repr=False)
    expires_at_s: float


Fetch = Callable[[str], Token]


class _Held:
    """What is known for one credential."""

    __slots__ = ("failed_at_s", "fetching", "token")

    def __init__(self) -> None:
        self.token: Token | None = None
        self.failed_at_s = 0.0
        self.fetching = asyncio.Lock()


class TokenAuthenticator:
    """Signs in with a bearer token that `fetch` gets for a credential; it may block, and raises CredentialBroken."""

    def __init__(self, fetch: Fetch, now_s: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._now_s = now_s
        self._held: dict[str, _Held] = {}

    async def headers(self, connection: Connection) -> Headers:
        """Return the header with a token that is still good. Raises UpstreamRefused where there is none to be had."""
        held = self._hold(connection.credential)
        token = held.token
        if token is None or self._is_old(token):
            token = await self._renew(connection, held)
        return ((b"authorization", b"Bearer " + token.value.encode()),)

    def forget(self, connection: Connection) -> None:
        """Drop the token, because the provider refused it."""
        held = self._held.get(connection.credential)
        if held is not None:
            held.token = None

    def _hold(self, credential: str) -> _Held:
        held = self._held.get(credential)
        if held is None:
            if len(self._held) >= _CREDENTIALS_MAX:
                self._held.clear()
            held = self._held[credential] = _Held()
        return held

    async def _renew(self, connection: Connection, held: _Held) -> Token:
        """Return a new token, or the old one while somebody else fetches or fetching fails, until it ends."""
        if held.fetching.locked() and self._is_good(held.token):
            assert held.token is not None
            return held.token
        async with held.fetching:
            failed_just_now = self._now_s() - held.failed_at_s < FAILURE_KEPT_S
            if not failed_just_now and (held.token is None or self._is_old(held.token)):
                await self._fetch_into(connection, held)
            if not self._is_good(held.token):
                raise refused_credential("the gateway can't sign in at the provider")
            assert held.token is not None
            return held.token

    async def _fetch_into(self, connection: Connection, held: _Held) -> None:
        try:
            async with asyncio.timeout(FETCH_S):
                held.token = await asyncio.to_thread(self._fetch, connection.credential)
        except (CredentialBroken, TimeoutError) as error:
            held.failed_at_s = self._now_s()
            reason = str(error) or f"no token within {FETCH_S:g} s"
            logger.warning("no token for a provider", extra={"provider": connection.slug, "reason": reason})

    def _is_old(self, token: Token) -> bool:
        return self._now_s() >= token.expires_at_s - RENEWED_BEFORE_S

    def _is_good(self, token: Token | None) -> bool:
        return token is not None and self._now_s() < token.expires_at_s
