"""The recordings in `tests/cassettes`, as values: one folder a provider, and what each file of it is.

A folder is named by a preset, or by a preset and a dialect (`<preset>_<dialect>`) where that isn't the preferred one.

    <name>.json       {"source", "operation"?, "model"?, "request"?, "response"?, "expect"?}; operation: chat
    <name>_stream.*   the same answer as a stream
    failed.json       beside `failed_stream.*`: a stream that reports an error, {"expect": {"code"}}
    error_*.json      {"source", "operation"?, "status", "headers"?, "response", "expect": {"code", "retryable", …}}
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from providers.dialects.canonical import Dialect, Operation
from providers.presets import PRESETS

CASSETTES = Path(__file__).parents[1] / "cassettes"


@dataclass(frozen=True)
class Recording:
    """One exchange with a provider, whole, and as a stream where there is one."""

    path: Path

    def __str__(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @cached_property
    def fields(self) -> dict[str, Any]:
        """What the file says."""
        found: dict[str, Any] = msgspec.json.decode(self.path.read_bytes())
        return found

    @property
    def is_error(self) -> bool:
        """Whether it is an answer with an error status."""
        return self.path.stem.startswith("error_")

    @property
    def is_failure(self) -> bool:
        """Whether it is a proper answer that reports an error."""
        return self.path.stem == "failed"

    @property
    def operation(self) -> Operation:
        """What was asked for."""
        return Operation(self.fields.get("operation", "chat"))

    @property
    def dialect(self) -> Dialect | None:
        """The dialect it is in; None where its provider is not asked for the operation."""
        preset, dialect = _names(self.path.parent.name)
        if dialect:
            return Dialect(dialect)
        known = PRESETS[preset].speaks_of(self.model).get(self.operation, ())
        return next(iter(known), None)

    @property
    def model(self) -> str:
        """The model that was asked, where the recording says it."""
        found = self.fields.get("model") or self.fields.get("request", {}).get("model", "")
        assert isinstance(found, str)
        return found

    @property
    def request(self) -> bytes:
        """The body of the request."""
        return msgspec.json.encode(self.fields["request"])

    @property
    def response(self) -> bytes:
        """The body of the answer."""
        return msgspec.json.encode(self.fields["response"])

    @property
    def expected(self) -> dict[str, Any]:
        """What it has to be understood as."""
        found: dict[str, Any] = self.fields["expect"]
        return found

    @property
    def stream(self) -> bytes | None:
        """The answer as a stream."""
        found = list(self.path.parent.glob(f"{self.path.stem}_stream.*"))
        assert len(found) <= 1, found
        return found[0].read_bytes() if found else None

    def header(self, name: bytes) -> bytes | None:
        """Return a header of the answer."""
        value = self.fields.get("headers", {}).get(name.decode())
        return None if value is None else value.encode()


def recordings() -> Iterator[Recording]:
    """Return every recording of every provider."""
    return map(Recording, sorted(CASSETTES.glob("*/*.json")))


def stray_streams() -> list[str]:
    """Return the streams that no recording stands beside."""
    paths = (path for path in CASSETTES.glob("*/*") if path.suffix != ".json")
    return [str(path) for path in paths if not path.with_name(path.stem.removesuffix("_stream") + ".json").exists()]


def _names(folder: str) -> tuple[str, str]:
    if folder in PRESETS:
        return folder, ""
    preset, _, dialect = folder.rpartition("_")
    assert preset in PRESETS, f"tests/cassettes/{folder} is named after no provider"
    return preset, dialect
