"""LiteLLM's `model_list`: one entry is one target, and entries of one name share a route."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gateway_project.configuration.declared import DeclaredPrice, DeclaredProvider
from gateway_project.configuration.document import Entry, Items, Mapping, Mark, Node, Scalar
from gateway_project.configuration.fields import ROUTE_NAME
from gateway_project.configuration.litellm.clouds import missing_option
from gateway_project.configuration.litellm.pricing import read_rates
from gateway_project.configuration.litellm.upstreams import (
    Upstream,
    declare_provider,
    find_upstream,
    presets_in_environment,
)
from gateway_project.configuration.litellm.values import Path, Translation, is_null, is_off
from providers.models import Provider

# What LiteLLM draws by: the first of these that any entry of a group states.
SHARES = ("weight", "rpm", "tpm")
_TOTAL_DEFAULT_MS: int = Provider._meta.get_field("total_timeout_ms").default


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of the list, as far as it can be served."""

    route: str
    provider: DeclaredProvider
    model: str
    at: Mark
    path: Path
    order: int = 0
    shares: dict[str, Decimal] = field(default_factory=dict)
    retries: int | None = None
    drop_params: bool | None = None
    values: dict[str, Any] = field(default_factory=dict)
    price: DeclaredPrice | None = None


def read_deployments(translation: Translation, document: Mapping) -> list[Deployment]:
    """Return the entries that can be served; the others are noted as unsupported, with the reason."""
    node = document.get("model_list")
    if node is None or is_null(node):
        return []
    if not isinstance(node, Items):
        translation.complain(node.at, "model_list is a list of models")
        return []
    credentials = _credentials(document)
    found: list[Deployment] = []
    for index, item in enumerate(node.nodes):
        found += _read_entry(translation, item, ("model_list", index), credentials)
    names = {deployment.route for deployment in found if deployment.path[-1] != "*"}
    return [deployment for deployment in found if deployment.path[-1] != "*" or deployment.route not in names]


def timeouts_of(first_byte_ms: int | None, idle_ms: int | None) -> dict[str, Any]:
    """Return a target's timeouts from LiteLLM's, which count the silence and never the whole answer."""
    values: dict[str, Any] = {}
    if first_byte_ms is not None:
        values["first_byte_timeout_ms"] = first_byte_ms
        if first_byte_ms > _TOTAL_DEFAULT_MS:
            values["total_timeout_ms"] = first_byte_ms
    if idle_ms is not None:
        values["idle_timeout_ms"] = idle_ms
    return values


def _read_entry(translation: Translation, item: Node, path: Path, credentials: dict[str, Mapping]) -> list[Deployment]:
    if not isinstance(item, Mapping):
        translation.complain(item.at, "an entry of model_list is a mapping")
        return []
    name = translation.text(item.get("model_name"))
    params = item.get("litellm_params")
    model = translation.text(params.get("model")) if isinstance(params, Mapping) else None
    if not name or not model or not isinstance(params, Mapping):
        translation.unsupported(path, "an entry needs a model_name, and litellm_params with a model; it is left out")
        return []
    params = _with_credentials(translation, params, path, credentials)
    if name == "*" and model == "*":
        return _every_provider(translation, item.at, path)
    return _serve(translation, item, params, name=name, model=model, path=path)


def _serve(
    translation: Translation, item: Mapping, params: Mapping, *, name: str, model: str, path: Path
) -> list[Deployment]:
    upstream = find_upstream(model, translation.text(params.get("custom_llm_provider")))
    refusal = upstream if isinstance(upstream, str) else _refusal(translation, name, upstream, params)
    if refusal:
        translation.unsupported(path, refusal)
        return []
    assert isinstance(upstream, Upstream)
    inside = (*path, "litellm_params")
    provider = declare_provider(translation, upstream.preset, params, inside, item.at)
    if provider is None:
        return []
    translation.mapped((*path, "model_name"), f"route {name}")
    translation.mapped((*inside, "model"), f"target: {upstream.why}")
    translation.mapped((*inside, "custom_llm_provider"), f"provider kind {upstream.preset.name}")
    return [_deployment(translation, item, params, upstream, provider, name=name, path=path)]


def _refusal(translation: Translation, name: str, upstream: Upstream, params: Mapping) -> str | None:
    if not ROUTE_NAME.match(name):
        return "a route's name has no spaces, at most one * and 200 characters; its target is left out"
    if upstream.model.count("*") > name.count("*"):
        return "its model has a * and its name has none to put there; its target is left out"
    preset = upstream.preset
    if preset.needs_address and is_null(params.get("api_base") or params.get("base_url")):
        return "it has no api_base, and this kind of provider has no usual one; its target is left out"
    missing = missing_option(translation, preset, params)
    return f"it has no {missing}, which this kind of provider needs; its target is left out" if missing else None


def _deployment(
    translation: Translation,
    item: Mapping,
    params: Mapping,
    upstream: Upstream,
    provider: DeclaredProvider,
    *,
    name: str,
    path: Path,
) -> Deployment:
    inside = (*path, "litellm_params")
    info = item.get("model_info")
    order = translation.number(params.get("order"))
    if order is not None:
        translation.mapped((*inside, "order"), "order of the target")
    return Deployment(
        route=name,
        provider=provider,
        model=upstream.model,
        at=item.at,
        path=path,
        order=int(order or 0),
        shares=_shares(translation, params, inside),
        retries=_retries(translation, params, inside),
        drop_params=_drops(translation, params, inside),
        values=_target_values(translation, params, inside) | _enabled(translation, info, path),
        price=_price(translation, upstream, params, info, path),
    )


def _shares(translation: Translation, params: Mapping, path: Path) -> dict[str, Decimal]:
    shares = {name: translation.number(params.get(name)) for name in SHARES}
    if shares["weight"] is not None:
        translation.mapped((*path, "weight"), "weight of the target")
    return {name: share for name, share in shares.items() if share is not None}


def _retries(translation: Translation, params: Mapping, path: Path) -> int | None:
    found: int | None = None
    for name in ("max_retries", "num_retries"):
        retries = translation.number(params.get(name))
        if retries is not None:
            translation.mapped((*path, name), "attempts of the route")
            found = int(retries)
    return found


def _drops(translation: Translation, params: Mapping, path: Path) -> bool | None:
    node = params.get("drop_params")
    if node is None or is_null(node):
        return None
    translation.mapped((*path, "drop_params"), "drop_params of the route")
    return not is_off(node)


def _target_values(translation: Translation, params: Mapping, path: Path) -> dict[str, Any]:
    first_byte_ms = translation.milliseconds(params.get("timeout"))
    idle_ms = translation.milliseconds(params.get("stream_timeout"))
    if first_byte_ms is not None:
        translation.mapped((*path, "timeout"), "first-byte timeout of the target")
    if idle_ms is not None:
        translation.mapped((*path, "stream_timeout"), "idle timeout of the target")
    return timeouts_of(first_byte_ms, idle_ms)


def _enabled(translation: Translation, info: Node | None, path: Path) -> dict[str, Any]:
    blocked = info.get("blocked") if isinstance(info, Mapping) else None
    if blocked is None:
        return {}
    translation.mapped((*path, "model_info", "blocked"), "whether the target is enabled")
    return {"enabled": is_off(blocked)}


def _price(
    translation: Translation, upstream: Upstream, params: Mapping, info: Node | None, path: Path
) -> DeclaredPrice | None:
    rates = read_rates(translation, params, (*path, "litellm_params"))
    if isinstance(info, Mapping):
        rates |= read_rates(translation, info, (*path, "model_info"))
        _judge_base_model(translation, upstream, info, path)
    if not rates:
        return None
    return DeclaredPrice(upstream.model, _rates_at(params, info), vendor=upstream.preset.price_vendor, values=rates)


def _rates_at(params: Mapping, info: Node | None) -> Mark:
    entries: tuple[Entry, ...] = (info.entries if isinstance(info, Mapping) else ()) + params.entries
    return next((entry.at for entry in entries if "cost" in entry.key), params.at)


def _judge_base_model(translation: Translation, upstream: Upstream, info: Mapping, path: Path) -> None:
    node = info.get("base_model")
    if not isinstance(node, Scalar) or is_null(node):
        return
    if node.text.rpartition("/")[2] == upstream.model.rpartition("/")[2]:
        translation.without_effect((*path, "model_info", "base_model"), "the price goes by the same name anyway")
    else:
        why = "a price goes by the target's own model name; declare a price for that name"
        translation.unsupported((*path, "model_info", "base_model"), why)


def _every_provider(translation: Translation, at: Mark, path: Path) -> list[Deployment]:
    """Answer `*` for `*` with a wildcard route a provider whose usual credential is in the environment."""
    presets = presets_in_environment(translation.environ)
    if not presets:
        translation.unsupported(path, "the environment holds no provider's usual credential to send this to")
        return []
    names = ", ".join(f"{preset.litellm_prefix}/*" for preset in presets)
    translation.mapped(path, f"routes {names}; a model's name without its provider is not guessed")
    return [
        Deployment(
            route=f"{preset.litellm_prefix}/*",
            provider=DeclaredProvider(
                preset.name, at, translation.environ[preset.credential_env], {"kind": preset.name}
            ),
            model="*",
            at=at,
            path=(*path, "*"),
        )
        for preset in presets
    ]


def _credentials(document: Mapping) -> dict[str, Mapping]:
    node = document.get("credential_list")
    found: dict[str, Mapping] = {}
    for item in node.nodes if isinstance(node, Items) else ():
        name = item.get("credential_name") if isinstance(item, Mapping) else None
        values = item.get("credential_values") if isinstance(item, Mapping) else None
        if isinstance(name, Scalar) and isinstance(values, Mapping):
            found[name.text] = values
    return found


def _with_credentials(
    translation: Translation, params: Mapping, path: Path, credentials: dict[str, Mapping]
) -> Mapping:
    name = translation.text(params.get("litellm_credential_name"))
    if name is None:
        return params
    inside = (*path, "litellm_params", "litellm_credential_name")
    if name not in credentials:
        translation.unsupported(inside, "credential_list has no such name")
        return params
    translation.mapped(inside, "address and credential of the provider")
    translation.mapped(("credential_list",), "addresses and credentials of the providers that name them")
    own = {entry.key for entry in params.entries}
    more = tuple(entry for entry in credentials[name].entries if entry.key not in own)
    return Mapping(params.entries + more, params.at)
