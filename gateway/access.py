"""Who is calling, and may they: keys are looked up once and remembered, revocations are pushed to this memory."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from gateway.messages import Incoming
from kernel.errors import AuthenticationFailed, PermissionRefused, Unavailable
from routing.snapshot import Route, Snapshot, unknown_route
from tenants.keys import Caller, Moments, digest_of

KEYS_REMEMBERED_MAX = 100_000
MISS_REMEMBERED_S = 1.0
HIT_REMEMBERED_S = 60.0
AWAY_REMEMBERED_S = 5.0
SECRET_BYTES_MAX = 512
_KEY_HEADERS = (b"api-key", b"x-api-key", b"x-goog-api-key")


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller | None
    until_s: float


class KeyDirectory:
    """A bounded memory of keys over a look-up; callers that ask for the same unknown key wait for one look-up."""

    def __init__(self, look_up: Callable[[str], Awaitable[Caller | None]]) -> None:
        self._look_up = look_up
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._under_way: dict[str, asyncio.Future[Caller | None]] = {}

    async def find(self, secret: str) -> Caller | None:
        """Return the caller with this key, None where there is none. Raises what the look-up raises."""
        digest = digest_of(secret)
        known = self._known.get(digest)
        if known is not None and known.until_s > time.monotonic():
            return known.caller
        under_way = self._under_way.get(digest)
        if under_way is None:
            under_way = asyncio.ensure_future(self._load(digest))
            self._under_way[digest] = under_way
            under_way.add_done_callback(lambda _: self._under_way.pop(digest, None))
        return await asyncio.shield(under_way)

    def forget(self, changed: Mapping[str, Moments]) -> None:
        """Drop what is remembered of these keys from before they changed; the next call looks them up.

        A key that was looked up since stays: while the database is away it could not be looked up again.
        """
        for digest, changed_at in changed.items():
            known = self._known.get(digest)
            if known is not None and (known.caller is None or known.caller.changed_at != changed_at):
                del self._known[digest]

    async def _load(self, digest: str) -> Caller | None:
        try:
            caller = await self._look_up(digest)
            kept_s = HIT_REMEMBERED_S if caller is not None else MISS_REMEMBERED_S
        except Unavailable:  # nobody can be asked: what was known stands, and what was pushed away stays unknown
            known = self._known.get(digest)
            if known is None or known.caller is None:
                raise
            caller, kept_s = known.caller, AWAY_REMEMBERED_S
        self._known[digest] = _Known(caller, time.monotonic() + kept_s)
        if len(self._known) > KEYS_REMEMBERED_MAX:
            self._known.popitem(last=False)
        return caller


def read_secret(incoming: Incoming) -> str:
    """Return the key a request carries: `Authorization: Bearer`, `api-key`, `x-api-key` or `x-goog-api-key`.

    Raises AuthenticationFailed where there is none.
    """
    authorization = incoming.headers.get(b"authorization")
    if authorization is not None:
        scheme, _, secret = authorization.partition(b" ")
        if scheme.lower() == b"bearer" and secret.strip():
            return _text(secret.strip())
    for name in _KEY_HEADERS:
        value = incoming.headers.get(name)
        if value:
            return _text(value.strip())
    raise AuthenticationFailed(
        "You didn't provide an API key. Send it as 'Authorization: Bearer YOUR_KEY'.", code="missing_api_key"
    )


async def authenticate(keys: KeyDirectory, secret: str) -> Caller:
    """Return the live caller behind a key. Raises AuthenticationFailed, which says why but not which key."""
    caller = await keys.find(secret)
    if caller is None:
        raise AuthenticationFailed("Incorrect API key provided.", code="invalid_api_key")
    if caller.revoked:
        raise AuthenticationFailed("This API key has been revoked.", code="revoked_api_key")
    if caller.expires_at_s is not None and caller.expires_at_s <= time.time():
        raise AuthenticationFailed("This API key has expired.", code="expired_api_key")
    if not caller.tenant_active:
        raise PermissionRefused("The organisation this API key belongs to is suspended.", code="tenant_suspended")
    return caller


def require_scope(caller: Caller, scope: str) -> None:
    """Raise PermissionRefused unless the key has the scope."""
    if scope not in caller.scopes:
        raise PermissionRefused(f"This API key lacks the scope '{scope}'.", code="insufficient_scope")


def find_route(snapshot: Snapshot, caller: Caller, name: str) -> Route:
    """Return the route a caller asks for. Raises RouteUnknown, or PermissionRefused where the key may not use it."""
    route = snapshot.find_route(tenant_id=caller.tenant_id, name=name)
    if route is None:
        raise unknown_route(name, names=[route.name for route in usable_routes(snapshot, caller)])
    if not may_use(caller, name):
        raise PermissionRefused(
            f"This API key may not use the model '{name}'.", code="model_not_allowed", param="model"
        )
    return route


def usable_routes(snapshot: Snapshot, caller: Caller) -> list[Route]:
    """Return the routes a key may use, by name."""
    return [route for route in snapshot.routes_of(caller.tenant_id) if may_use(caller, route.name)]


def may_use(caller: Caller, name: str) -> bool:
    """Tell whether the key's list of routes has the name; an empty list has every name."""
    return not caller.allowed_routes or any(_fits(pattern, name) for pattern in caller.allowed_routes)


def _fits(pattern: str, name: str) -> bool:
    prefix, star, suffix = pattern.partition("*")
    if not star:
        return pattern == name
    return len(name) >= len(prefix) + len(suffix) and name.startswith(prefix) and name.endswith(suffix)


def _text(raw: bytes) -> str:
    if len(raw) > SECRET_BYTES_MAX:
        raise AuthenticationFailed("Incorrect API key provided.", code="invalid_api_key")
    return raw.decode("latin-1")
