"""Reading LiteLLM's values: `os.environ/NAME` references, and numbers that may be written as text."""

from collections.abc import Mapping as EnvironmentMapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from gateway_project.configuration.document import Items, Mapping, Mark, Node, Problem, Scalar
from gateway_project.configuration.report import Verdict

REFERENCE = "os.environ/"
Path = tuple[str | int, ...]


@dataclass(slots=True)
class Translation:
    """One translation under way: what the file may refer to, and what was found out so far."""

    environ: EnvironmentMapping[str, str]
    verdicts: dict[Path, tuple[Verdict, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    references: set[str] = field(default_factory=set)

    def mapped(self, path: Path, why: str) -> None:
        """Note what a key became."""
        self.verdicts[path] = (Verdict.MAPPED, why)

    def without_effect(self, path: Path, why: str) -> None:
        """Note why a key changes nothing here."""
        self.verdicts[path] = (Verdict.WITHOUT_EFFECT, why)

    def unsupported(self, path: Path, why: str) -> None:
        """Note why a key can't be honoured."""
        self.verdicts[path] = (Verdict.UNSUPPORTED, why)

    def complain(self, at: Mark, message: str) -> None:
        """Note a fault that stops the import."""
        self.problems.append(Problem(at, message))

    def warn(self, at: Mark, message: str) -> None:
        """Note what the reader should know."""
        self.warnings.append(Problem(at, message))

    def text(self, node: Node | None) -> str | None:
        """Return a text with its reference resolved; None where there is none, or its variable is not set."""
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return None
        if not isinstance(node, Scalar):
            self.complain(node.at, "a single value is wanted here")
            return None
        name = reference_of(node)
        if name is None:
            return node.text
        self.references.add(name)
        return self.environ.get(name)

    def number(self, node: Node | None) -> Decimal | None:
        """Return a number from 0 up; None where there is none. A fault becomes a problem."""
        raw = self.text(node)
        if node is None or raw is None:
            return None
        try:
            value = Decimal(raw)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or value < 0:
            self.complain(node.at, f"{raw!r} is not a number from 0 up")
            return None
        return value

    def milliseconds(self, node: Node | None) -> int | None:
        """Return a number of seconds as milliseconds; None where there is none."""
        seconds = self.number(node)
        if node is None or seconds is None:
            return None
        value = int(seconds * 1000)
        if not 0 < value < 2**31:
            self.complain(node.at, "a number of seconds above 0 is wanted here")
            return None
        return value


def reference_of(node: Node | None) -> str | None:
    """Return the name of the environment variable that a value refers to."""
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.startswith(REFERENCE):
        return node.value.removeprefix(REFERENCE)
    return None


def is_null(node: Node | None) -> bool:
    """Tell whether there is no value."""
    return node is None or (isinstance(node, Scalar) and node.value is None)


def is_off(node: Node) -> bool:
    """Tell whether a value switches off what it belongs to."""
    if isinstance(node, Scalar):
        return node.value in (None, False, "")
    return not (node.entries if isinstance(node, Mapping) else node.nodes)


def texts_of(node: Node | None) -> list[tuple[int, Scalar]]:
    """Return the single values of a list with their positions."""
    if not isinstance(node, Items):
        return []
    return [(index, item) for index, item in enumerate(node.nodes) if isinstance(item, Scalar)]
