"""Tokens for Google Cloud: from a key file kept as the credential, or from where the gateway runs.

An empty credential means Application Default Credentials: GOOGLE_APPLICATION_CREDENTIALS, gcloud's own, workload
identity, or the machine's service account. `google.auth.aio` has no service accounts (google-auth 2.62), so the
blocking library runs in a thread, as Google's own SDK does.
"""

import json
from collections.abc import Callable
from datetime import UTC
from functools import partial
from typing import Any

import google.auth
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials as UserCredentials
from google.oauth2.service_account import Credentials as ServiceAccount

from providers.adapters.auth.base import CredentialBroken
from providers.adapters.auth.tokens import Token

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_REQUEST_S = 10.0


def fetch_google_token(credential: str) -> Token:
    """Return a token for a key file's text, or for where the gateway runs. Blocks; raises CredentialBroken."""
    try:
        found = _load(credential)
        found.refresh(partial(Request(), timeout=_REQUEST_S))
    except (GoogleAuthError, ValueError, KeyError, TypeError) as error:
        raise CredentialBroken(_explain(error)) from error
    if not found.token or found.expiry is None:
        raise CredentialBroken("Google gave no token")
    return Token(found.token, found.expiry.replace(tzinfo=UTC).timestamp())


def _load(credential: str) -> Any:
    if not credential:
        return google.auth.default(scopes=SCOPES)[0]
    info = json.loads(credential)
    kinds: dict[str, Callable[..., Any]] = {
        "service_account": ServiceAccount.from_service_account_info,
        "authorized_user": UserCredentials.from_authorized_user_info,
    }
    kind = info.get("type") if isinstance(info, dict) else None
    if kind not in kinds:
        raise CredentialBroken(f"a key file is of the type {' or '.join(kinds)}")
    return kinds[kind](info, scopes=list(SCOPES))


def _explain(error: Exception) -> str:
    """Return the first words of an error; a key file that is no JSON is not repeated."""
    if isinstance(error, json.JSONDecodeError):
        return "the credential is no key file: it is not JSON"
    return f"{type(error).__name__}: {str(error.args[0] if error.args else '')[:200]}"
