"""Tells an operator whether a provider answers with this address and this credential, in words without secrets."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from kernel.secrets import SealBroken
from providers.adapters import anthropic, azure, gemini
from providers.adapters.auth.base import CredentialBroken
from providers.adapters.auth.static import static_headers
from providers.adapters.auth.table import FETCHES
from providers.models import Provider
from providers.options import OptionsBroken, check_options
from providers.preset import Preset
from providers.presets import PRESETS

TIMEOUT_S = 10.0
_BODY_LIMIT_BYTES = 4 * 1024 * 1024
_WITHOUT_LIST = frozenset({"vertex", "bedrock"})  # whose lists of models say nothing of what a credential may use

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
    """Ask the provider for its models, or only for a token, and tell how that went."""
    preset = PRESETS.get(provider.kind)
    if preset is None:
        return ConnectionResult(ok=False, message="This kind of provider is unknown.")
    if preset.built_in:
        return ConnectionResult(ok=True, message="Built in: it always answers.", models=len(preset.usual_models))
    try:
        return _try_out(provider, preset)
    except SealBroken:
        message = "The stored credential can't be opened any more: enter it again."
    except OptionsBroken as error:
        message = f"The options don't fit: {error}."
    except CredentialBroken as error:
        message = f"No token for this credential. {error}."
    return ConnectionResult(ok=False, message=message)


def _try_out(provider: Provider, preset: Preset) -> ConnectionResult:
    check_options(preset, provider.options)
    auth, credential = provider.options.get("auth") or preset.auth, provider.credential()
    if preset.needs_address and not provider.base_url:
        return ConnectionResult(ok=False, message="This kind has no address of its own: enter a base URL.")
    if preset.adapter in _WITHOUT_LIST:
        return _try_token(auth, credential)
    url, own = find_models(preset, provider.base_url or preset.base_url, provider.options)
    headers = {"Accept": "application/json", **own, **provider.extra_headers, **_signed(auth, credential)}
    return _ask(url, headers, TIMEOUT_S)


def find_models(preset: Preset, base_url: str, options: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return where a kind lists its models, and the headers it wants besides."""
    base = base_url.rstrip("/")
    if preset.adapter == "anthropic":
        version = options.get("api_version") or anthropic.USUAL_VERSION
        return f"{_with(base, '/v1')}/models", {"anthropic-version": version}
    if preset.adapter == "gemini":
        return f"{_with(base, '/' + (options.get('api_version') or gemini.USUAL_VERSION))}/models", {}
    if preset.adapter == "cohere":
        return f"{base.removesuffix('/compatibility/v1')}/v1/models", {}
    if preset.adapter == "azure":
        base = base.removesuffix("/v1").removesuffix("/openai")
        deployed = azure.uses_deployments(options)
        query = azure.version_query(options, azure.USUAL_VERSION if deployed else "").decode()
        return f"{base}/openai{'' if deployed else '/v1'}/models{query}", {}
    return f"{base}/models", {}


def _with(base: str, version: str) -> str:
    return base if base.endswith(version) else base + version


def _try_token(auth: str, credential: str) -> ConnectionResult:
    if auth not in FETCHES:
        message = "This kind can't be tried without a call: send one from the playground."
        return ConnectionResult(ok=False, message=message)
    started_at_s = time.monotonic()
    FETCHES[auth](credential)
    message = "Signed in: there is a token. Whether it may use a model shows with the first call."
    return ConnectionResult(ok=True, message=message, latency_ms=_since(started_at_s))


def _signed(auth: str, credential: str) -> dict[str, str]:
    if auth in FETCHES:
        return {"Authorization": f"Bearer {FETCHES[auth](credential).value}"}
    return {name.decode(): value.decode() for name, value in static_headers(auth, credential)}


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
    listed = answer if isinstance(answer, list) else None
    if isinstance(answer, dict):
        listed = answer.get("data", answer.get("models"))
    return len(listed) if isinstance(listed, list) else None
