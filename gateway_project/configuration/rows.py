"""Putting one declared row in place: created where missing, changed only where that is wanted, else left alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from gateway_project.configuration.document import Mark, Problem

M = TypeVar("M", bound=Model)
# Fields that code fills in and people never see; a model that has none of them does not mind.
_GENERATED = ("password", "digest", "prefix")


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key that was made with a generated secret, which can't be had again."""

    tenant: str
    name: str
    secret: str = field(repr=False)


@dataclass(slots=True)
class Application:
    """One declaration on its way into the database: whether existing rows change, and what happened so far."""

    update: bool
    problems: list[Problem] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    issued: list[IssuedKey] = field(default_factory=list)

    def complain(self, at: Mark, message: str) -> None:
        """Note a fault; the whole declaration is then refused."""
        self.problems.append(Problem(at, message))

    def create(self, row: M, at: Mark, label: str) -> M | None:
        """Save a new row; None where it does not hold."""
        if not self.holds(row, at, label):
            return None
        row.save()
        self.created.append(label)
        return row

    def revise(self, row: M, values: Mapping[str, Any], at: Mark, label: str) -> M:
        """Change an existing row to the values, where rows are changed and it differs from them."""
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        if not self.update or not differing:
            return row
        for name, value in differing.items():
            setattr(row, name, value)
        if self.holds(row, at, label):
            row.save()
            self.updated.append(label)
        return row

    def note_update(self, label: str) -> None:
        """Note that a row changed in a way of its own, once."""
        if label not in self.updated and label not in self.created:
            self.updated.append(label)

    def holds(self, row: Model, at: Mark, label: str, *, unchecked: tuple[str, ...] = ()) -> bool:
        """Tell whether a row is valid; what is not becomes problems."""
        try:
            row.full_clean(exclude={*unchecked, *_GENERATED})
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                prefix = "" if name == "__all__" else f"{name}: "
                self.complain(at, f"{label}: {prefix}{' '.join(messages)}")
            return False
        return True
