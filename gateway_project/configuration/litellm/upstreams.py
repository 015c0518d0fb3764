"""From LiteLLM's `provider/model` and its connection parameters to one of our providers.

Entries that agree in kind, address, credential and headers share one provider. Its slug is the preset's name where
everything is as usual, and otherwise carries a short digest of what is not; a credential that is a reference counts
by the name of its variable, so that a new secret does not make a new provider.
"""

import hashlib
from collections.abc import Mapping as EnvironmentMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from genai_prices.data_snapshot import get_snapshot

from gateway_project.configuration.declared import DeclaredProvider
from gateway_project.configuration.document import Mapping, Mark, Node, Scalar
from gateway_project.configuration.litellm.clouds import judge_rest, read_options, read_secrets
from gateway_project.configuration.litellm.values import Path, Translation, is_null, reference_of
from providers.presets import PRESETS, Preset

_ADDRESS_KEYS = ("api_base", "base_url")
_ORGANIZATION_HEADER = "OpenAI-Organization"


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where an entry goes: the preset, the provider's own name of the model, and how we know."""

    preset: Preset
    model: str
    why: str


def find_upstream(name: str, provider: str | None) -> Upstream | str:
    """Return what `litellm_params.model` stands for, or the reason why it can't be served."""
    prefix, slash, rest = name.partition("/")
    if provider:
        model = rest if slash and prefix == provider else name
        return _known(provider, model) or f"the provider {provider} is not available; its target is left out"
    if slash and rest:
        return (
            _known(prefix, rest)
            or _of_bare_name(name)
            or f"the provider {prefix} is not available; its target is left out"
        )
    return _of_bare_name(name) or "which provider serves it is not known; write provider/model. The target is left out"


def presets_in_environment(environ: EnvironmentMapping[str, str]) -> list[Preset]:
    """Return the presets LiteLLM could reach through the usual variables alone."""
    return [p for p in PRESETS.values() if p.litellm_prefix and p.credential_env and environ.get(p.credential_env)]


def declare_provider(
    translation: Translation, preset: Preset, params: Mapping, path: Path, at: Mark
) -> DeclaredProvider | None:
    """Return the provider of an entry and note what became of its keys; None where its address is not to be had."""
    unset = len(translation.problems)
    base_url = _address(translation, preset, params, path)
    headers = _headers(translation, params, path)
    options = read_options(translation, preset, params, path)
    key = params.get("api_key")
    secrets = read_secrets(translation, preset, params, path) if is_null(key) else None
    credential = secrets.credential if secrets else _credential(translation, preset, key, path)
    if len(translation.problems) > unset:
        return None
    judge_rest(translation, preset, params, path)
    if secrets and preset.litellm_secrets_auth:
        options["auth"] = preset.litellm_secrets_auth
    stated = (*sorted(headers.items()), *sorted(options.items()))
    who = secrets.identity if secrets else _key_identity(preset, key)
    identity = [base_url, *(f"{name}={value}" for name, value in stated), who]
    values: dict[str, Any] = {"kind": preset.name}
    values |= {"base_url": base_url} if base_url else {}
    values |= {"extra_headers": headers} if headers else {}
    values |= {"options": options} if options else {}
    if not any(identity):
        return DeclaredProvider(preset.name, at, credential, values)
    digest = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:8]
    values["name"] = _describe(preset, base_url, key)
    return DeclaredProvider(f"{preset.name[:40]}-{digest}", at, credential, values)


def _known(prefix: str, model: str) -> Upstream | None:
    for preset in PRESETS.values():
        if prefix in (preset.litellm_prefix, preset.name, *preset.litellm_aliases):
            for between in preset.litellm_routes:
                model = model.removeprefix(between)
            return Upstream(preset, model, f"model {model} of provider kind {preset.name}")
    return None


def _of_bare_name(name: str) -> Upstream | None:
    vendors = {preset.price_vendor: preset for preset in PRESETS.values() if preset.litellm_prefix}
    for preset in vendors.values():
        if name in preset.usual_models:
            return Upstream(preset, name, f"model {name} of provider kind {preset.name}, by the model's name")
    if "/" in name or "*" in name:
        return None
    try:
        vendor = get_snapshot().find_provider_model(name, None, None, None)[0].id
    except LookupError:
        return None
    found = vendors.get(vendor)
    return Upstream(found, name, f"model {name} of provider kind {found.name}, by the model's name") if found else None


def _address(translation: Translation, preset: Preset, params: Mapping, path: Path) -> str:
    for name in _ADDRESS_KEYS:
        node = params.get(name)
        if node is None or is_null(node):
            continue
        value = translation.text(node)
        if value is None:
            translation.complain(node.at, f"{name}: the environment has no {reference_of(node)}")
            return ""
        translation.mapped((*path, name), "base URL of the provider")
        return _whole_address(preset, value)
    return ""


def _whole_address(preset: Preset, value: str) -> str:
    """Return the base URL without what is usual; a local server's missing path is the preset's."""
    value = value.rstrip("/")
    if not preset.credential_env and preset.base_url and not urlsplit(value).path:
        value += urlsplit(preset.base_url).path
    return "" if value == preset.base_url.rstrip("/") else value


def _headers(translation: Translation, params: Mapping, path: Path) -> dict[str, str]:
    headers: dict[str, str] = {}
    node = params.get("extra_headers")
    if isinstance(node, Mapping):
        for entry in node.entries:
            value = _header_value(translation, entry.key, entry.node)
            headers |= {entry.key: value} if value is not None else {}
        translation.mapped((*path, "extra_headers"), "extra headers of the provider")
    organization = params.get("organization")
    value = _header_value(translation, "organization", organization)
    if value:
        headers[_ORGANIZATION_HEADER] = value
        translation.mapped((*path, "organization"), f"extra header {_ORGANIZATION_HEADER} of the provider")
    return headers


def _header_value(translation: Translation, name: str, node: Node | None) -> str | None:
    value = translation.text(node)
    if value is None and node is not None and not is_null(node):
        translation.warn(node.at, f"the environment has no {reference_of(node)}: the header {name} is left out")
    return value


def _credential(translation: Translation, preset: Preset, node: Node | None, path: Path) -> str | None:
    if node is None or is_null(node):
        return translation.environ.get(preset.credential_env) if preset.credential_env else None
    translation.mapped((*path, "api_key"), "sealed credential of the provider")
    value = translation.text(node)
    if value is None:
        translation.warn(node.at, f"the environment has no {reference_of(node)}: the provider gets no credential")
    return value


def _key_identity(preset: Preset, node: Node | None) -> str:
    name = reference_of(node)
    if not isinstance(node, Scalar) or is_null(node) or (name and name == preset.credential_env):
        return ""
    return name or hashlib.sha256(node.text.encode()).hexdigest()


def _describe(preset: Preset, base_url: str, key: Node | None) -> str:
    parts = [preset.title or preset.name]
    parts += [f"at {urlsplit(base_url).netloc}"] if base_url else []
    name = reference_of(key)
    parts += [f"with {name}"] if name and name != preset.credential_env else []
    return " ".join(parts)[:200]
