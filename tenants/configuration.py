"""How a saved change becomes live: every write to a configuration table moves one version number.

Workers compare that number twice a second and compile a new snapshot when it moved. The number moves in the same
transaction as the change, so nobody sees a new number before the change it stands for. Writers queue on its row
until they commit, which keeps the order of numbers the order of commits.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone


class ConfigurationVersion(models.Model):
    """One row that counts the changes to the configuration."""

    number = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(pk=1), name="configuration_version_is_one_row"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"

    @classmethod
    def advance(cls) -> None:
        """Move the number; call inside the transaction of the change."""
        if not cls.objects.filter(pk=1).update(number=F("number") + 1):
            cls.objects.get_or_create(pk=1)
            cls.objects.filter(pk=1).update(number=F("number") + 1)

    @classmethod
    def current(cls) -> int:
        """Return the number as committed; 0 where nothing was ever configured."""
        return cls.objects.filter(pk=1).values_list("number", flat=True).first() or 0


class ConfiguredQuerySet(models.QuerySet[Any]):
    """A queryset whose bulk writes move the version too."""

    def update(self, **values: Any) -> int:
        if any(field.name == "updated_at" for field in self.model._meta.concrete_fields):
            values.setdefault("updated_at", timezone.now())
        with transaction.atomic(using=self.db):
            ConfigurationVersion.advance()
            return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=self.db):
            ConfigurationVersion.advance()
            return super().delete()

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        with transaction.atomic(using=self.db):
            ConfigurationVersion.advance()
            return super().bulk_create(objs, *args, **kwargs)


class Configured(models.Model):
    """A row of configuration: saving or deleting it moves the version."""

    objects = ConfiguredQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            ConfigurationVersion.advance()
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            ConfigurationVersion.advance()
            return super().delete(*args, **kwargs)
