"""Tokens for Azure from Microsoft Entra ID: as an application with a secret, or as the machine's managed identity.

The credential is {"tenant_id", "client_id", "client_secret"}, with "authority" and "scope" where the cloud is another
than the public one; {"client_id"} alone is a managed identity of that id; an empty one is the machine's own.
"""

import json
import time
from typing import Any

import msal
import requests

from providers.adapters.auth.base import CredentialBroken
from providers.adapters.auth.tokens import Token

PUBLIC_AUTHORITY = "https://login.microsoftonline.com"
RESOURCE = "https://cognitiveservices.azure.com"
_REQUEST_S = 10.0
_KNOWN = frozenset({"tenant_id", "client_id", "client_secret", "authority", "scope"})


def fetch_entra_token(credential: str) -> Token:
    """Return a token for an application's secret, or for a managed identity. Blocks; raises CredentialBroken."""
    info = _read(credential)
    try:
        answer = _ask_application(info) if info.get("client_secret") else _ask_machine(info)
    except (ValueError, KeyError, requests.RequestException, msal.exceptions.MsalError) as error:
        raise CredentialBroken(f"{type(error).__name__}: {str(error)[:200]}") from error
    if "access_token" not in answer:
        raise CredentialBroken(str(answer.get("error_description") or answer.get("error") or "no token")[:200])
    return Token(answer["access_token"], time.time() + float(answer.get("expires_in", 0)))


def _read(credential: str) -> dict[str, str]:
    try:
        info = json.loads(credential or "{}")
    except ValueError as error:
        raise CredentialBroken("the credential is not JSON") from error
    if not isinstance(info, dict) or not info.keys() <= _KNOWN or not all(isinstance(v, str) for v in info.values()):
        raise CredentialBroken(f"the credential is an object of {', '.join(sorted(_KNOWN))}")
    if info.get("client_secret") and not (info.get("client_id") and info.get("tenant_id")):
        raise CredentialBroken("an application has a tenant_id, a client_id and a client_secret")
    return info


def _ask_application(info: dict[str, str]) -> dict[str, Any]:
    authority = (info.get("authority") or PUBLIC_AUTHORITY).rstrip("/")
    application = msal.ConfidentialClientApplication(
        info["client_id"],
        client_credential=info["client_secret"],
        authority=f"{authority}/{info['tenant_id']}",
        instance_discovery=False if info.get("authority") else None,
        http_client=_TimedSession(),
    )
    answer: dict[str, Any] = application.acquire_token_for_client(scopes=[info.get("scope") or f"{RESOURCE}/.default"])
    return answer


def _ask_machine(info: dict[str, str]) -> dict[str, Any]:
    client_id = info.get("client_id")
    machine = msal.SystemAssignedManagedIdentity()
    identity = msal.UserAssignedManagedIdentity(client_id=client_id) if client_id else machine
    client = msal.ManagedIdentityClient(identity, http_client=_TimedSession())
    resource = (info.get("scope") or RESOURCE).removesuffix("/.default")
    answer: dict[str, Any] = client.acquire_token_for_client(resource=resource)
    return answer


class _TimedSession(requests.Session):
    """A session that does not wait for ever."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", _REQUEST_S)
        return super().request(*args, **kwargs)
