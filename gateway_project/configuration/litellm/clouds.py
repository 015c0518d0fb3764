"""What LiteLLM's entries say of clouds: regions, projects and the keys of a credential, by the names in the presets."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from gateway_project.configuration.document import Mapping, Node, Scalar
from gateway_project.configuration.litellm.values import Path, Translation, is_null, reference_of
from providers.presets import PRESETS, Preset

CLOUD_KEYS = frozenset(
    [option.litellm for preset in PRESETS.values() for option in preset.options if option.litellm]
    + [key for preset in PRESETS.values() for key, _ in preset.litellm_secrets]
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """A credential made of several keys; `identity` tells it from others without being it."""

    credential: str = field(repr=False)
    identity: str


def missing_option(translation: Translation, preset: Preset, params: Mapping) -> str | None:
    """Return LiteLLM's name of an option that the kind has to have and that nobody states."""
    for option in preset.options:
        stated = not is_null(params.get(option.litellm)) or translation.environ.get(option.env)
        if option.required and option.litellm and not stated:
            return option.litellm
    return None


def read_options(translation: Translation, preset: Preset, params: Mapping, path: Path) -> dict[str, str]:
    """Return the options of an entry's provider; what no entry states comes from the usual variables."""
    options: dict[str, str] = {}
    for option in preset.options:
        node = params.get(option.litellm) if option.litellm else None
        value = translation.text(node)
        if value:
            translation.mapped((*path, option.litellm), f"option {option.name} of the provider")
        elif node is not None and not is_null(node):
            translation.complain(node.at, f"{option.litellm}: the environment has no {reference_of(node)}")
        else:
            value = translation.environ.get(option.env) if option.required else None
        options |= {option.name: value} if value else {}
    return options


def read_secrets(translation: Translation, preset: Preset, params: Mapping, path: Path) -> Secrets | None:
    """Return the credential that an entry's keys make; None where it has none of them."""
    parts: dict[str, str] = {}
    identities = []
    for key, name in preset.litellm_secrets:
        node = params.get(key)
        value = translation.text(node)
        if node is None or is_null(node):
            continue
        identities.append(f"{key}={_identify(node)}")
        translation.mapped((*path, key), "sealed credential of the provider")
        if value is None:
            translation.warn(node.at, f"the environment has no {reference_of(node)}: the credential goes without it")
        else:
            parts[name] = value
    if not identities:
        return None
    whole = parts.pop("", None)
    return Secrets(_open_file(whole) if whole is not None else json.dumps(parts), "&".join(identities))


def judge_rest(translation: Translation, preset: Preset, params: Mapping, path: Path) -> None:
    """Note the keys that belong to another kind of provider than the entry's."""
    own = {option.litellm for option in preset.options} | {key for key, _ in preset.litellm_secrets}
    for entry in params.entries:
        if entry.key in CLOUD_KEYS - own:
            translation.without_effect((*path, entry.key), f"a provider of kind {preset.name} has no use for it")


def _identify(node: Node) -> str:
    text = node.text if isinstance(node, Scalar) else ""
    return reference_of(node) or hashlib.sha256(text.encode()).hexdigest()


def _open_file(value: str) -> str:
    """Return a key file's text; LiteLLM takes the text itself or where the file is."""
    if value.lstrip().startswith("{") or not FilePath(value).is_file():
        return value
    return FilePath(value).read_text(encoding="utf-8")
