"""Providers declared by the usual variables: a credential in the environment is a provider with its usual models."""

import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from gateway_project.configuration.declared import Declared, DeclaredProvider, DeclaredRoute, DeclaredTarget
from gateway_project.configuration.document import Mark
from providers.presets import PRESETS, Preset

_HERE = Mark("environment", 1, 1)


def declare_from_environment(environ: Mapping[str, str] | None = None, *, without: Collection[str] = ()) -> Declared:
    """Return a provider for every preset whose variable is set, and a route for each of its usual models.

    Models that several of them offer share one route. `without` names presets to leave out.
    """
    environ = os.environ if environ is None else environ
    presets = [preset for preset in PRESETS.values() if _is_set(preset, environ) and preset.name not in without]
    return Declared(
        providers=tuple(_provider(preset, environ) for preset in presets),
        routes=declare_usual_routes(presets),
    )


def declare_usual_routes(presets: Iterable[Preset]) -> tuple[DeclaredRoute, ...]:
    """Return a route for each model that is usual with the presets, each preset a provider of its own name."""
    targets: dict[str, list[DeclaredTarget]] = {}
    for preset in presets:
        for model in preset.usual_models:
            target = DeclaredTarget(preset.name, model, _HERE, order=len(targets.get(model, ())))
            targets.setdefault(model, []).append(target)
    return tuple(DeclaredRoute(model, _HERE, targets=tuple(found)) for model, found in targets.items())


def _is_set(preset: Preset, environ: Mapping[str, str]) -> bool:
    wanted = [preset.credential_env, *(option.env for option in preset.options if option.required)]
    return all(environ.get(name) for name in [*wanted, *([preset.address_env] if preset.needs_address else [])])


def _provider(preset: Preset, environ: Mapping[str, str]) -> DeclaredProvider:
    values: dict[str, Any] = {"kind": preset.name, "name": preset.title}
    options = {option.name: environ[option.env] for option in preset.options if environ.get(option.env)}
    values |= {"options": options} if options else {}
    values |= {"base_url": environ[preset.address_env]} if preset.needs_address else {}
    return DeclaredProvider(preset.name, _HERE, environ[preset.credential_env], values)
