"""How the fields of our YAML are read: one small function a type, each fault one Problem with its place.

A text may hold `${NAME}`, which stands for that environment variable; `$${` stands for `${` itself. A field called
`x_env` names the variable that holds `x`.
"""

import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as EnvironmentMapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from gateway_project.configuration.document import Items, Mapping, Mark, Node, Problem, Scalar
from kernel.money import usd_to_nanos
from providers.options import FEATURES

ROUTE_NAME = re.compile(r"(?=.{1,200}\Z)[^\s*]*\*?[^\s*]*\Z")
_LARGEST_USD = 10**9
_ONE_NANO_USD = Decimal("1e-9")
_VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
T = TypeVar("T")


class Malformed(Exception):
    """A value is not of its field's type."""

    def __init__(self, message: str, at: Mark) -> None:
        self.problem = Problem(at, message)
        super().__init__(message)


@dataclass(slots=True)
class Reading:
    """One pass over a file: the environment it may refer to, and what was found wrong so far."""

    environ: EnvironmentMapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def complain(self, at: Mark, message: str) -> None:
        """Note a problem and go on."""
        self.problems.append(Problem(at, message))


Parser = Callable[[Reading, Node], Any]


@dataclass(slots=True)
class Row:
    """One mapping as read: the fields it states, and where each stands."""

    at: Mark
    values: dict[str, Any]
    marks: dict[str, Mark]

    def take(self, name: str, default: Any = None) -> Any:
        """Remove a field from the values and return it."""
        return self.values.pop(name, default)


def read_row(reading: Reading, node: Node, fields: EnvironmentMapping[str, Parser], required: Iterable[str]) -> Row:
    """Read a mapping by its table of fields; unknown, repeated and missing ones become problems."""
    row = Row(node.at, {}, {})
    if not isinstance(node, Mapping):
        reading.complain(node.at, "a mapping of fields is wanted here")
        return row
    for entry in node.repeated:
        reading.complain(entry.at, f"{entry.key} stands twice")
    for entry in node.entries:
        row.marks[entry.key] = entry.at
        if entry.key not in fields:
            reading.complain(entry.at, f"unknown field {entry.key}; known are {', '.join(sorted(fields))}")
        else:
            _read_field(reading, row, entry.key, entry.node, fields[entry.key])
    for name in required:
        if name not in row.marks:
            reading.complain(node.at, f"{name} is missing")
    return row


def _read_field(reading: Reading, row: Row, name: str, node: Node, parse: Parser) -> None:
    try:
        row.values[name] = parse(reading, node)
    except Malformed as fault:
        reading.problems.append(Problem(fault.problem.at, f"{name}: {fault.problem.message}"))


def text(reading: Reading, node: Node) -> str:
    """Read a text, its variables filled in; numbers and dates count as they are written."""
    if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, bool):
        raise Malformed("a text is wanted here", node.at)
    return _fill_in(reading, node)


def word(reading: Reading, node: Node) -> str:
    """Read a text that may not be empty."""
    value = text(reading, node)
    if not value.strip():
        raise Malformed("it may not be empty", node.at)
    return value


def route_name(reading: Reading, node: Node) -> str:
    """Read a name that a route may have."""
    value = word(reading, node)
    if not ROUTE_NAME.match(value):
        raise Malformed(f"{value!r} has spaces, or more than one *, or over 200 characters", node.at)
    return value


def secret_from(reading: Reading, node: Node) -> str:
    """Read the value of the environment variable that is named."""
    return _variable(reading, word(reading, node), node.at)


def integer(reading: Reading, node: Node) -> int:
    """Read a whole number that is not negative."""
    raw = text(reading, node)
    if not re.fullmatch(r"[0-9]{1,9}", raw):
        raise Malformed(f"{raw!r} is not a whole number from 0 up", node.at)
    return int(raw)


def positive(reading: Reading, node: Node) -> int:
    """Read a whole number from 1 up."""
    value = integer(reading, node)
    if value < 1:
        raise Malformed("1 is the least", node.at)
    return value


def count(reading: Reading, node: Node) -> int:
    """Read a whole number that is not negative and may be large."""
    raw = text(reading, node)
    if not re.fullmatch(r"[0-9]{1,15}", raw):
        raise Malformed(f"{raw!r} is not a whole number from 0 up", node.at)
    return int(raw)


def percents(reading: Reading, node: Node) -> list[int]:
    """Read a list of whole percentages."""
    return [positive(reading, item) for item in nodes(node)]


def amount(reading: Reading, node: Node) -> Decimal:
    """Read an exact decimal number that is not negative."""
    raw = text(reading, node)
    try:
        value = Decimal(raw)
    except InvalidOperation as error:
        raise Malformed(f"{raw!r} is not a number", node.at) from error
    if not value.is_finite() or value < 0:
        raise Malformed(f"{raw!r} is not a number from 0 up", node.at)
    return value


def nanos(reading: Reading, node: Node) -> int:
    """Read an exact amount of dollars as nano-dollars; nothing is rounded."""
    value = amount(reading, node)
    if value > _LARGEST_USD:
        raise Malformed("a billion dollars is the most", node.at)
    if value != value.quantize(_ONE_NANO_USD):
        raise Malformed("an amount of dollars has nine decimals at most", node.at)
    return usd_to_nanos(value)


def milliseconds(reading: Reading, node: Node) -> int:
    """Read a positive number of seconds as milliseconds."""
    value = int(amount(reading, node) * 1000)
    if not 0 < value < 2**31:
        raise Malformed("a number of seconds above 0 is wanted here", node.at)
    return value


def boolean(reading: Reading, node: Node) -> bool:
    """Read true or false, written so or as a variable that says so."""
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    spelled = text(reading, node).lower() if isinstance(node, Scalar) and isinstance(node.value, str) else ""
    if spelled not in {"true", "false"}:
        raise Malformed("true or false is wanted here", node.at)
    return spelled == "true"


def moment(reading: Reading, node: Node) -> datetime:
    """Read an instant or a day, in UTC where no zone is given."""
    raw = text(reading, node)
    try:
        value = parse_datetime(raw) or _midnight(raw)
    except ValueError as error:
        raise Malformed(f"{raw!r}: {error}", node.at) from error
    if value is None:
        raise Malformed(f"{raw!r} is not a date or time such as 2027-01-31 or 2027-01-31T12:00:00Z", node.at)
    return timezone.make_aware(value, ZoneInfo("UTC")) if timezone.is_naive(value) else value


def zone(reading: Reading, node: Node) -> str:
    """Read the IANA name of a time zone."""
    name = word(reading, node)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Malformed(f"no time zone is called {name!r}", node.at) from error
    return name


def choice(*options: str) -> Parser:
    """Return a parser that takes one of the given words."""

    def read_choice(reading: Reading, node: Node) -> str:
        value = text(reading, node)
        if value not in options:
            raise Malformed(f"{value!r} is none of {', '.join(options)}", node.at)
        return value

    return read_choice


def words(reading: Reading, node: Node) -> list[str]:
    """Read a list of texts."""
    return [word(reading, item) for item in nodes(node)]


def texts_by_name(reading: Reading, node: Node) -> dict[str, str]:
    """Read a mapping of names to texts."""
    if not isinstance(node, Mapping):
        raise Malformed("a mapping of names and texts is wanted here", node.at)
    return {entry.key: text(reading, entry.node) for entry in node.entries}


def target_options(reading: Reading, node: Node) -> dict[str, Any]:
    """Read a target's options: texts by name, and under `features` the lists `add` and `remove`."""
    if not isinstance(node, Mapping):
        raise Malformed("a mapping of options is wanted here", node.at)
    return {
        entry.key: _features(reading, entry.node) if entry.key == FEATURES else text(reading, entry.node)
        for entry in node.entries
    }


def nodes(node: Node) -> tuple[Node, ...]:
    """Return the items of a list. Raises Malformed where it is none."""
    if not isinstance(node, Items):
        raise Malformed("a list is wanted here", node.at)
    return node.nodes


def as_is(_reading: Reading, node: Node) -> Node:
    """Hand a nested node on to whoever knows its fields."""
    return node


def _features(reading: Reading, node: Node) -> dict[str, list[str]]:
    if not isinstance(node, Mapping):
        raise Malformed("features are a mapping of add and remove", node.at)
    return {entry.key: words(reading, entry.node) for entry in node.entries}


def _midnight(raw: str) -> datetime | None:
    day = parse_date(raw)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("UTC")) if day else None


def _fill_in(reading: Reading, node: Scalar) -> str:
    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        return "${" if name is None else _variable(reading, name, node.at)

    return _VARIABLE.sub(put, node.text)


def _variable(reading: Reading, name: str, at: Mark) -> str:
    value = reading.environ.get(name)
    if value is None:
        raise Malformed(f"the environment has no {name}", at)
    return value
