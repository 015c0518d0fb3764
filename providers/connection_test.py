"""Tells an operator whether a provider answers with this address and this credential, in words without secrets."""

import json
import time
from dataclasses import dataclass

import httpx2

from kernel.secrets import SealBroken
from providers.models import Provider
from providers.presets import PRESETS

TIMEOUT_S = 10.0
_BODY_LIMIT_BYTES = 4 * 1024 * 1024

_REFUSALS = {
    401: "The provider refused the credential (401).",
    403: "The provider knows the credential and refuses it this (403).",
    404: "Nothing lists models at this address (404). Is the base URL complete, with its /v1?",
    429: "The provider answers, and says there are too many requests now (429).",
}


@dataclass(frozen=True, slots=True)
class ConnectionResult:
    """What a test found out; the message holds no credential and nothing of the provider's own words."""

    ok: bool
    message: str
    latency_ms: int = 0
    models: int | None = None


def test_connection(provider: Provider) -> ConnectionResult:
    """Ask the provider for its models and tell how that went."""
    preset = PRESETS.get(provider.kind)
    if preset is None:
        return ConnectionResult(ok=False, message="This kind of provider is unknown.")
    if preset.adapter == "mock":
        return ConnectionResult(ok=True, message="Built in: it always answers.", models=len(preset.usual_models))
    base_url = provider.base_url or preset.base_url
    if not base_url:
        return ConnectionResult(ok=False, message="This kind has no address of its own: enter a base URL.")
    try:
        headers = _headers(provider)
    except SealBroken:
        return ConnectionResult(ok=False, message="The stored credential can't be opened any more: enter it again.")
    return _ask(f"{base_url.rstrip('/')}/models", headers, TIMEOUT_S)


def _headers(provider: Provider) -> dict[str, str]:
    headers = {"Accept": "application/json", **provider.extra_headers}
    if credential := provider.credential():
        headers["Authorization"] = f"Bearer {credential}"
    return headers


def _ask(url: str, headers: dict[str, str], timeout_s: float) -> ConnectionResult:
    started_at_s = time.monotonic()
    try:
        with (
            httpx2.Client(timeout=timeout_s, follow_redirects=False) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            body = _read_bounded(response, deadline_s=started_at_s + timeout_s)
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeEncodeError) as error:
        return ConnectionResult(ok=False, message=_explain_failure(error, timeout_s), latency_ms=_since(started_at_s))
    return _judge(response.status_code, body, _since(started_at_s))


def _read_bounded(response: httpx2.Response, *, deadline_s: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if time.monotonic() > deadline_s:
            raise httpx2.ReadTimeout("the answer takes too long")
        if len(body) > _BODY_LIMIT_BYTES:
            break
    return bytes(body)


def _since(started_at_s: float) -> int:
    return round((time.monotonic() - started_at_s) * 1000)


def _explain_failure(error: Exception, timeout_s: float) -> str:
    causes: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (httpx2.ConnectTimeout, f"No connection within {timeout_s:g} s: wrong address, or a firewall between."),
        (httpx2.TimeoutException, f"Connected, but no answer within {timeout_s:g} s."),
        (httpx2.ConnectError, _explain_no_connection(error)),
        ((httpx2.InvalidURL, httpx2.UnsupportedProtocol), "The base URL is none."),
        ((UnicodeEncodeError, httpx2.LocalProtocolError), "The credential or an extra header can't stand in a header."),
    )
    found = (words for kind, words in causes if isinstance(error, kind))
    return next(found, "The connection broke before there was an answer.")


def _explain_no_connection(error: Exception) -> str:
    if "certificate" in str(error).lower() or "ssl" in str(error).lower():
        return "The provider's certificate can't be trusted, or it speaks no TLS there."
    return "No connection: nothing listens there, or the name is unknown."


def _judge(status: int, body: bytes, latency_ms: int) -> ConnectionResult:
    if 300 <= status < 400:
        message = f"The provider sends us elsewhere ({status}): enter the final address as base URL."
        return ConnectionResult(ok=False, message=message, latency_ms=latency_ms)
    if status != 200:
        message = _REFUSALS.get(status, f"The provider answered with an error ({status}).")
        return ConnectionResult(ok=False, message=message, latency_ms=latency_ms)
    models = _count_models(body)
    if models is None:
        message = "Something answers there, but not with a list of models. Is the base URL complete, with its /v1?"
        return ConnectionResult(ok=False, message=message, latency_ms=latency_ms)
    message = f"Connected: {models} model{'' if models == 1 else 's'} in {latency_ms} ms."
    return ConnectionResult(ok=True, message=message, latency_ms=latency_ms, models=models)


def _count_models(body: bytes) -> int | None:
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    listed = answer if isinstance(answer, list) else answer.get("data") if isinstance(answer, dict) else None
    return len(listed) if isinstance(listed, list) else None
