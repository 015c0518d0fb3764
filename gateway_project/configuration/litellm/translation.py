"""A LiteLLM `config.yaml` becomes a declaration and a report that leaves no key out."""

import os
from collections.abc import Iterator
from collections.abc import Mapping as EnvironmentMapping
from pathlib import Path

from gateway_project.configuration.declared import Declared, DeclaredKey, DeclaredTenant
from gateway_project.configuration.document import (
    ConfigurationRefused,
    Entry,
    Items,
    Leaf,
    Mapping,
    Mark,
    Node,
    Problem,
    Scalar,
    read_document,
    spell_path,
    walk_leaves,
)
from gateway_project.configuration.litellm.callers import read_budgets, read_caller_limits
from gateway_project.configuration.litellm.models import read_deployments
from gateway_project.configuration.litellm.rates import read_entry_limits
from gateway_project.configuration.litellm.routes import collect_prices, collect_providers, declare_routes
from gateway_project.configuration.litellm.sections import Sections
from gateway_project.configuration.litellm.settings import Policy, read_policy
from gateway_project.configuration.litellm.values import Translation, is_off, reference_of, texts_of
from gateway_project.configuration.litellm.vocabulary import is_translated, look_up
from gateway_project.configuration.report import Line, Report, Verdict
from tenants.models import Scope

SECTIONS = frozenset({"model_list", "litellm_settings", "router_settings", "general_settings"})
_INCLUDES_MAX = 100
_TENANT = "default"
_MASTER_KEY = "master key"


def is_litellm(document: Mapping) -> bool:
    """Tell whether a file is LiteLLM's rather than ours."""
    return any(entry.key in SECTIONS or entry.key == "include" for entry in document.entries)


def translate(document: Mapping, environ: EnvironmentMapping[str, str]) -> tuple[Declared, Report]:
    """Return what a LiteLLM file declares, problems included, and the report on its keys."""
    document = _with_includes(document)
    translation = Translation(_overlay(document, environ))
    deployments = read_deployments(translation, document)
    sections = Sections(translation, document)
    policy = read_policy(sections)
    routes = declare_routes(translation, deployments, policy)
    declared = Declared(
        tenants=(DeclaredTenant(_TENANT, document.at),) if policy.master_key else (),
        keys=_keys(policy),
        providers=collect_providers(deployments),
        routes=routes,
        prices=collect_prices(translation, deployments),
        budgets=read_budgets(sections),
        limits=(*read_caller_limits(sections), *read_entry_limits(sections, deployments)),
        problems=tuple(translation.problems),
    )
    return declared, _report(translation, document)


def _keys(policy: Policy) -> tuple[DeclaredKey, ...]:
    if policy.master_key is None or policy.master_key_at is None:
        return ()
    values = {"scopes": list(Scope.values)}
    return (DeclaredKey(_TENANT, _MASTER_KEY, policy.master_key_at, policy.master_key, values=values),)


def _overlay(document: Mapping, environ: EnvironmentMapping[str, str]) -> EnvironmentMapping[str, str]:
    """Return the environment with what `environment_variables` puts over it."""
    node = document.get("environment_variables")
    stated = {
        entry.key: environ.get(reference_of(entry.node) or "", entry.node.text)
        for entry in (node.entries if isinstance(node, Mapping) else ())
        if isinstance(entry.node, Scalar)
    }
    return {**environ, **stated}


def _with_includes(document: Mapping) -> Mapping:
    """Return the file with its included files put in: lists grow, anything else is replaced, as LiteLLM does."""
    entries = {entry.key: entry for entry in document.entries}
    repeated = list(document.repeated)
    included = 0
    queue = _included_paths(document)
    while queue:
        path, at = queue.pop(0)
        included += 1
        if included > _INCLUDES_MAX:
            raise ConfigurationRefused([Problem(at, "the included files include each other without end")])
        other = _read_included(path, at)
        repeated += other.repeated
        queue += _included_paths(other)
        for entry in other.entries:
            if entry.key in entries and entry.key != "include" and not _both_lists(entries[entry.key], entry):
                repeated.append(entries[entry.key])
            entries[entry.key] = _joined(entries.get(entry.key), entry)
    return Mapping(tuple(entries.values()), document.at, tuple(repeated))


def _included_paths(document: Mapping) -> list[tuple[Path, Mark]]:
    base = Path(document.at.file).parent
    return [(base / item.text, item.at) for _, item in texts_of(document.get("include"))]


def _read_included(path: Path, at: Mark) -> Mapping:
    if not path.is_file():
        raise ConfigurationRefused([Problem(at, f"the included file {os.fspath(path)} is not there")])
    return read_document(path)


def _both_lists(first: Entry, second: Entry) -> bool:
    return isinstance(first.node, Items) and isinstance(second.node, Items)


def _joined(first: Entry | None, second: Entry) -> Entry:
    if first is None or not isinstance(first.node, Items) or not isinstance(second.node, Items):
        return second
    return Entry(first.key, first.at, Items(first.node.nodes + second.node.nodes, first.node.at))


def _report(translation: Translation, document: Mapping) -> Report:
    for name in translation.references:
        translation.mapped(("environment_variables", name), "the value of what refers to it")
    translation.mapped(("include",), "the file is read with this one")
    lines = [_judge(translation, leaf) for leaf in walk_leaves(document)]
    hidden = [
        Line(Verdict.WITHOUT_EFFECT, spell_path(leaf.path), leaf.at, "the same key comes again later and replaces it")
        for leaf in _repeated(document, ())
    ]
    return Report(tuple(sorted([*lines, *hidden], key=lambda line: line.at)), tuple(translation.warnings))


def _repeated(node: Node, path: tuple[str | int, ...]) -> Iterator[Leaf]:
    if isinstance(node, Mapping):
        for entry in node.repeated:
            yield Leaf((*path, entry.key), entry.at, entry.node)
        for entry in node.entries:
            yield from _repeated(entry.node, (*path, entry.key))
    elif isinstance(node, Items):
        for index, item in enumerate(node.nodes):
            yield from _repeated(item, (*path, index))


def _judge(translation: Translation, leaf: Leaf) -> Line:
    verdict, why = _verdict(translation, leaf)
    return Line(verdict, spell_path(leaf.path), leaf.at, why)


def _verdict(translation: Translation, leaf: Leaf) -> tuple[Verdict, str]:
    for length in range(len(leaf.path), 0, -1):
        noted = translation.verdicts.get(leaf.path[:length])
        if noted is not None:
            return noted
    names = tuple(step for step in leaf.path if isinstance(step, str))
    if is_off(leaf.node) and (len(names) == 1 or look_up(names) is not None or is_translated(names)):
        return Verdict.WITHOUT_EFFECT, "it is off or empty in this file"
    if is_translated(names):
        return Verdict.UNSUPPORTED, "its value is not of the kind that LiteLLM documents; it is ignored"
    return look_up(names) or (Verdict.UNKNOWN, "not a key of LiteLLM's documented configuration; it is ignored")
