"""YAML that remembers where everything stood, so that every complaint can name its file, line and column."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a declaration."""

    at: Mark
    message: str

    def __str__(self) -> str:
        return f"{self.at}: {self.message}"


class ConfigurationRefused(Exception):
    """A declaration can't be taken; nothing of it was applied."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.at)
        super().__init__("\n".join(str(problem) for problem in self.problems))


Plain: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value: what YAML makes of it, and the text as it was written."""

    value: Plain
    text: str
    at: Mark


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping."""

    key: str
    at: Mark
    node: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping in the order of the file; `repeated` holds earlier entries that a later one of the same key hides."""

    entries: tuple[Entry, ...]
    at: Mark
    repeated: tuple[Entry, ...] = ()

    def get(self, key: str) -> "Node | None":
        """Return the value of a key."""
        return next((entry.node for entry in self.entries if entry.key == key), None)

    def at_key(self, key: str) -> Mark:
        """Return where a key stands, or the mapping where it has no such key."""
        return next((entry.at for entry in self.entries if entry.key == key), self.at)


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    nodes: tuple["Node", ...]
    at: Mark


Node: TypeAlias = Scalar | Mapping | Items


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value with no values inside, under its path: `router_settings.fallbacks[0].small[1]`."""

    path: tuple[str | int, ...]
    at: Mark
    node: Node


def read_document(path: Path) -> Mapping:
    """Read a YAML file whose top is a mapping. Raises ConfigurationRefused naming the place of the fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationRefused([Problem(Mark(str(path), 1, 1), f"can't be read: {error}")]) from error
    return parse_document(text, file=str(path))


def parse_document(text: str, *, file: str) -> Mapping:
    """Parse YAML text whose top is a mapping. Raises ConfigurationRefused naming the place of the fault."""
    try:
        node = _Composer(text, file).compose()
    except yaml.MarkedYAMLError as error:
        raise ConfigurationRefused([_syntax_problem(error, file)]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        problem = Problem(Mark(file, line, column), f"not YAML: {error.reason}")
        raise ConfigurationRefused([problem]) from error
    if not isinstance(node, Mapping):
        raise ConfigurationRefused([Problem(node.at, "a configuration file is a mapping of sections")])
    return node


def walk_leaves(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """Yield every leaf in the order of the file; an empty mapping or list is a leaf too."""
    if isinstance(node, Mapping) and node.entries:
        for entry in node.entries:
            if isinstance(entry.node, Scalar) or not _members(entry.node):
                yield Leaf((*path, entry.key), entry.at, entry.node)
            else:
                yield from walk_leaves(entry.node, (*path, entry.key))
    elif isinstance(node, Items) and node.nodes:
        for index, item in enumerate(node.nodes):
            yield from walk_leaves(item, (*path, index))
    elif path:
        yield Leaf(path, node.at, node)


def spell_path(path: tuple[str | int, ...]) -> str:
    """Return a path as people write it."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _members(node: Node) -> tuple[Entry, ...] | tuple[Node, ...]:
    if isinstance(node, Mapping):
        return node.entries
    return node.nodes if isinstance(node, Items) else ()


def _syntax_problem(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    at = Mark(file, mark.line + 1, mark.column + 1) if mark else Mark(file, 1, 1)
    return Problem(at, f"not YAML: {error.problem or error.context or 'unreadable'}")


class _Composer:
    """Turns PyYAML's nodes into ours, with aliases and merge keys (`<<`) resolved."""

    def __init__(self, text: str, file: str) -> None:
        self._loader = yaml.SafeLoader(text)
        self._file = file
        self._open: set[int] = set()

    def compose(self) -> Node:
        try:
            root = self._loader.get_single_node()
            return self._node(root) if root is not None else Mapping((), Mark(self._file, 1, 1))
        finally:
            self._loader.dispose()

    def _mark(self, node: yaml.Node) -> Mark:
        return Mark(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _node(self, node: yaml.Node) -> Node:
        if id(node) in self._open:
            raise yaml.MarkedYAMLError(problem="an alias inside its own anchor", problem_mark=node.start_mark)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node)
            if isinstance(node, yaml.SequenceNode):
                return Items(tuple(self._node(item) for item in node.value), self._mark(node))
            return self._scalar(node)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: yaml.Node) -> Scalar:
        try:
            value = self._loader.construct_object(node)
        except (ValueError, OverflowError) as error:
            raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from error
        plain = value if isinstance(value, str | int | float | bool | None) else str(node.value)
        return Scalar(plain, str(node.value), self._mark(node))

    def _mapping(self, node: yaml.MappingNode) -> Mapping:
        kept: dict[str, Entry] = {}
        repeated: list[Entry] = []
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            entry = self._entry(key_node, value_node)
            if entry.key in kept:
                repeated.append(kept.pop(entry.key))
            kept[entry.key] = entry
        for entry in self._merged(node):
            kept.setdefault(entry.key, entry)
        return Mapping(tuple(kept.values()), self._mark(node), tuple(repeated))

    def _entry(self, key_node: yaml.Node, value_node: yaml.Node) -> Entry:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key is a single word", problem_mark=key_node.start_mark)
        return Entry(str(key_node.value), self._mark(key_node), self._node(value_node))

    def _merged(self, node: yaml.MappingNode) -> Iterator[Entry]:
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                sources = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                for source in sources:
                    if not isinstance(source, yaml.MappingNode):
                        raise yaml.MarkedYAMLError(problem="<< takes mappings", problem_mark=source.start_mark)
                    yield from self._mapping(source).entries
