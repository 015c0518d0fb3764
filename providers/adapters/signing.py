"""How requests to AWS say who sends them: by a Bedrock API key, or signed (Signature Version 4).

A provider's credential is one of three: empty, for the usual chain (environment, shared files, container, instance
metadata); JSON with keys of its own, a profile, or a role to take; any other text is an API key.

botocore finds the credentials and signs. It finds them over files and the network, so that is done in a thread, and
signing works with a frozen copy: good for five minutes, renewed behind the calls' backs once it is one minute old.
botocore itself renews ten minutes before expiry, so no copy outlives its credentials. Signing costs 63 µs of CPU for a
body of 4 KB with a session token, 15 of them for the derived key (CPython 3.11, botocore 1.44): not worth a cache.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import AssumeRoleCredentialFetcher, Credentials, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from kernel.errors import UpstreamRefused
from kernel.tasks import spawn
from providers.adapters.connection import Headers
from providers.adapters.refusals import refused_credential

_SERVICE = "bedrock"
_FRESH_S = 60.0
_STALE_S = 300.0
_RENEWAL_S = 20.0
_LENDERS_MAX = 1024
_ROLE_SESSION = "llmgateway"

logger = logging.getLogger(__name__)


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A credential in JSON: keys, or where to find them, and a role to take with them."""

    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""
    aws_session_token: str = ""
    profile: str = ""
    role_arn: str = ""
    external_id: str = ""

    def __post_init__(self) -> None:
        if bool(self.aws_access_key_id) != bool(self.aws_secret_access_key):
            raise ValueError("aws_access_key_id and aws_secret_access_key belong together")


_keys = msgspec.json.Decoder(Keys)


class Lender:
    """Lends copies of credentials that don't expire while they are used."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find
        self._found: Any = None
        self._copy: Any = None
        self._copied_at_s = 0.0
        self._lock = asyncio.Lock()

    async def lend(self) -> Any:
        """Return a copy. Raises UpstreamRefused where there are no credentials to be had."""
        age_s = asyncio.get_running_loop().time() - self._copied_at_s
        if self._copy is None or age_s > _STALE_S:
            async with self._lock:
                if self._copy is None or asyncio.get_running_loop().time() - self._copied_at_s > _STALE_S:
                    await self._renew()
        elif age_s > _FRESH_S and not self._lock.locked():
            spawn(self._renew_behind(), name="renew AWS credentials")
        return self._copy

    async def _renew_behind(self) -> None:
        if self._lock.locked():
            return
        async with self._lock:
            try:
                await self._renew()
            except UpstreamRefused as error:  # the copy is good for some minutes yet
                logger.warning("AWS credentials could not be renewed: %s", error.message)

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(_RENEWAL_S):
                copy = await asyncio.to_thread(self._take)
        except (BotoCoreError, ClientError) as error:
            logger.warning("no AWS credentials: %s", error)
            raise refused_credential("the gateway's AWS credentials could not be obtained") from error
        except TimeoutError as error:
            raise refused_credential("the gateway's AWS credentials could not be obtained in time") from error
        if copy is None:
            raise refused_credential("the gateway has no AWS credentials")
        self._copy = copy
        self._copied_at_s = asyncio.get_running_loop().time()

    def _take(self) -> Any:
        if self._found is None:
            self._found = self._find()
        return None if self._found is None else self._found.get_frozen_credentials()


class Signer:
    """Makes the headers that authenticate a request, for as many credentials as there are providers."""

    def __init__(self) -> None:
        self._lenders: dict[tuple[str, str], Lender] = {}

    async def headers(
        self, credential: str, region: str, *, url: str, headers: Headers, body: bytes, method: str = "POST"
    ) -> Headers:
        """Return what is to be sent besides `headers`, which are signed. Raises UpstreamRefused."""
        if is_api_key(credential):
            return ((b"authorization", b"Bearer " + credential.strip().encode()),)
        lent = await self._lender(credential, region).lend()
        return sign(lent, region, url=url, headers=headers, body=body, method=method)

    def forget(self, credential: str, region: str) -> None:
        """Have the credentials looked up anew: the provider says that they are expired."""
        self._lenders.pop((credential, region), None)

    def _lender(self, credential: str, region: str) -> Lender:
        known = self._lenders.get((credential, region))
        if known is not None:
            return known
        keys = read_keys(credential)
        if len(self._lenders) >= _LENDERS_MAX:
            self._lenders.clear()
        lender = self._lenders[credential, region] = Lender(lambda: find_credentials(keys, region))
        return lender


def sign(credentials: Any, region: str, *, url: str, headers: Headers, body: bytes, method: str = "POST") -> Headers:
    """Return the headers that a request is signed with: date, signature, and session token if there is one."""
    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    request = AWSRequest(method, url, data=body, headers=named)
    SigV4Auth(credentials, _SERVICE, region).add_auth(request)
    own = ("X-Amz-Date", "X-Amz-Security-Token", "Authorization")
    return tuple((name.lower().encode(), request.headers[name].encode()) for name in own if name in request.headers)


def is_api_key(credential: str) -> bool:
    """Tell whether a credential is a Bedrock API key, to be sent as it is."""
    text = credential.strip()
    return bool(text) and not text.startswith("{")


def read_keys(credential: str) -> Keys:
    """Return what an empty credential, or one in JSON, says. Raises UpstreamRefused where it makes no sense."""
    try:
        return _keys.decode(credential.strip() or "{}")
    except msgspec.DecodeError as error:
        # The decoder's words name fields and types, never values.
        raise refused_credential(f"the gateway's AWS credential is not as it should be: {error}") from error


def find_credentials(keys: Keys, region: str) -> Any:
    """Return botocore's credentials, None where there are none. It may read files and ask servers, and raise."""
    session = Session(profile=keys.profile or None)
    if keys.aws_access_key_id:
        found = Credentials(keys.aws_access_key_id, keys.aws_secret_access_key, keys.aws_session_token or None)
    else:
        found = session.get_credentials()
    if not keys.role_arn or found is None:
        return found
    extra = {"RoleSessionName": _ROLE_SESSION, **({"ExternalId": keys.external_id} if keys.external_id else {})}

    def create_client(service: str, **options: Any) -> Any:
        return session.create_client(service, region_name=region, **options)

    fetcher = AssumeRoleCredentialFetcher(create_client, found, keys.role_arn, extra_args=extra)
    return DeferredRefreshableCredentials(refresh_using=fetcher.fetch_credentials, method="assume-role")
