"""LiteLLM's router, library and general settings, as far as routes and keys follow from them."""

from dataclasses import dataclass, field
from typing import Any

from gateway_project.configuration.document import Items, Mapping, Mark, Node, Scalar
from gateway_project.configuration.litellm.models import timeouts_of
from gateway_project.configuration.litellm.sections import Sections
from gateway_project.configuration.litellm.values import Path, Translation, is_null, is_off, reference_of, texts_of

_SIMPLE_SHUFFLE = "simple-shuffle"
_ALWAYS_ON = {"prometheus": "metrics are always served at /metrics"}
_CALLBACKS = ("callbacks", "success_callback", "failure_callback", "service_callbacks", "service_callback")


@dataclass(frozen=True, slots=True)
class Fallback:
    """One name in a chain, with its place in the file."""

    name: str
    at: Mark
    path: Path


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of a route."""

    alias: str
    route: str
    path: Path


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for every route of the file."""

    retries: int | None = None
    drop_params: bool | None = None
    timeouts: dict[str, Any] = field(default_factory=dict)
    fallbacks: dict[str, list[Fallback]] = field(default_factory=dict)
    default_fallbacks: list[Fallback] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    master_key: str | None = field(default=None, repr=False)
    master_key_at: Mark | None = None


def read_policy(sections: Sections) -> Policy:
    """Return what the settings say, and note what became of their keys."""
    _judge_strategy(sections)
    _judge_callbacks(sections)
    fallbacks, everyones = _fallbacks(sections)
    default, default_path = sections.pick(
        ("router_settings", "default_fallbacks"),
        ("litellm_settings", "default_fallbacks"),
        why="fallbacks of the routes that have none of their own",
    )
    master_key, master_key_at = _master_key(sections)
    return Policy(
        retries=_retries(sections),
        drop_params=_drops(sections),
        timeouts=_timeouts(sections),
        fallbacks=fallbacks,
        default_fallbacks=[*everyones, *_chain(sections.translation, default, default_path)],
        aliases=_aliases(sections),
        master_key=master_key,
        master_key_at=master_key_at,
    )


def _retries(sections: Sections) -> int | None:
    node, _ = sections.pick(
        ("router_settings", "num_retries"),
        ("router_settings", "max_retries"),
        ("litellm_settings", "num_retries"),
        ("litellm_settings", "num_retries_per_request"),
        why="attempts of the routes: one more than the retries, and one for each target at least",
    )
    retries = sections.translation.number(node)
    return None if retries is None else int(retries)


def _drops(sections: Sections) -> bool | None:
    node, _ = sections.pick(("litellm_settings", "drop_params"), why="drop_params of the routes")
    return None if node is None else not is_off(node)


def _timeouts(sections: Sections) -> dict[str, Any]:
    first_byte, _ = sections.pick(
        ("router_settings", "timeout"),
        ("litellm_settings", "request_timeout"),
        why="first-byte timeout of the targets that have none of their own",
    )
    idle, _ = sections.pick(
        ("router_settings", "stream_timeout"),
        ("litellm_settings", "stream_timeout"),
        why="idle timeout of the targets that have none of their own",
    )
    translation = sections.translation
    return timeouts_of(translation.milliseconds(first_byte), translation.milliseconds(idle))


def _fallbacks(sections: Sections) -> tuple[dict[str, list[Fallback]], list[Fallback]]:
    node, path = sections.pick(
        ("router_settings", "fallbacks"), ("litellm_settings", "fallbacks"), why="fallbacks of the routes"
    )
    chains: dict[str, list[Fallback]] = {}
    for index, item in enumerate(node.nodes if isinstance(node, Items) else ()):
        for entry in item.entries if isinstance(item, Mapping) else ():
            chain = _chain(sections.translation, entry.node, (*path, index, entry.key))
            chains.setdefault(entry.key, []).extend(chain)
    if node is not None and not isinstance(node, Items):
        sections.translation.complain(node.at, "fallbacks are a list of {model: [models]}")
    return chains, chains.pop("*", [])


def _chain(translation: Translation, node: Node | None, path: Path) -> list[Fallback]:
    for index, item in enumerate(node.nodes if isinstance(node, Items) else ()):
        if not isinstance(item, Scalar):
            translation.unsupported((*path, index), "a fallback is the name of a route, without parameters of its own")
    return [Fallback(item.text, item.at, (*path, index)) for index, item in texts_of(node)]


def _aliases(sections: Sections) -> list[Alias]:
    found = []
    for section, key in (
        ("router_settings", "model_group_alias"),
        ("litellm_settings", "model_group_alias"),
        ("litellm_settings", "model_alias_map"),
    ):
        node = sections.value(section, key)
        for entry in node.entries if isinstance(node, Mapping) else ():
            path = (section, key, entry.key)
            route = entry.node.get("model") if isinstance(entry.node, Mapping) else entry.node
            if isinstance(route, Scalar):
                found.append(Alias(entry.key, route.text, path))
            if isinstance(entry.node, Mapping):
                _judge_hidden(sections.translation, entry.node, path)
    return found


def _judge_hidden(translation: Translation, node: Mapping, path: Path) -> None:
    hidden = node.get("hidden")
    if hidden is not None:
        why = "an alias is listed like a name" if not is_off(hidden) else "it is off in this file"
        (translation.without_effect if is_off(hidden) else translation.unsupported)((*path, "hidden"), why)


def _master_key(sections: Sections) -> tuple[str | None, Mark | None]:
    node = sections.value("general_settings", "master_key")
    translation = sections.translation
    if node is None or is_null(node):
        top = sections.document.at
        translation.warn(top, "there is no master_key: every call needs a key here; create_key makes one")
        return None, None
    secret = translation.text(node)
    if not secret:
        translation.complain(node.at, f"master_key: the environment has no {reference_of(node)}")
        return None, None
    translation.mapped(("general_settings", "master_key"), "a key with every scope, in the tenant default")
    return secret, node.at


def _judge_strategy(sections: Sections) -> None:
    path = ("router_settings", "routing_strategy")
    node = sections.value(*path)
    if node is None:
        return
    if sections.translation.text(node) in (_SIMPLE_SHUFFLE, None):
        sections.translation.mapped(path, "targets are drawn by order and weight")
    else:
        sections.translation.unsupported(path, "targets are drawn by order and weight, not by what was measured")


def _judge_callbacks(sections: Sections) -> None:
    for key in _CALLBACKS:
        node = sections.value("litellm_settings", key)
        for index, item in texts_of(node):
            if item.text in _ALWAYS_ON:
                sections.translation.without_effect(("litellm_settings", key, index), _ALWAYS_ON[item.text])
