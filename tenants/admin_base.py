"""What the admin pages of every app share: unfold's classes, with the types of the Django classes they extend.

Unfold ships no types. Type checkers see Django's own classes here, so that the admin modules are checked like the rest.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.http import HttpRequest
from unfold.decorators import action as unfold_action
from unfold.decorators import display as unfold_display

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.contrib.admin.views.main import ChangeList
else:
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.admin import TabularInline as UnfoldTabularInline
    from unfold.views import ChangeList

    class ModelAdmin(UnfoldModelAdmin):
        """Unfold's page for a model; takes the model as a type argument."""

        list_per_page = 50
        list_fullwidth = True
        list_filter_submit = True

        def __class_getitem__(cls, _model: Any) -> type:
            return cls

    class TabularInline(UnfoldTabularInline):
        """Unfold's table of related rows; takes both models as type arguments."""

        extra = 0

        def __class_getitem__(cls, _models: Any) -> type:
            return cls


__all__ = ["ChangeList", "ModelAdmin", "TabularInline", "ViewOnly", "button", "column"]
F = TypeVar("F", bound=Callable[..., Any])


def column(
    description: str,
    *,
    ordering: str | None = None,
    label: Mapping[str, str] | bool | None = None,
    boolean: bool | None = None,
    header: bool | None = None,
) -> Callable[[F], F]:
    """Describe a computed column; `label` maps its values to badge colours."""
    decorator = unfold_display(description=description, ordering=ordering, label=label, boolean=boolean, header=header)
    return cast("Callable[[F], F]", decorator)


def button(description: str, *, icon: str, permissions: tuple[str, ...]) -> Callable[[F], F]:
    """Describe a method that stands as a button above a row's page; it takes the request and `object_id`."""
    decorator = unfold_action(description=description, icon=icon, permissions=permissions)
    return cast("Callable[[F], F]", decorator)


class ViewOnly:
    """For rows that people may look at and nobody may write by hand."""

    def has_add_permission(self, request: HttpRequest, *parent: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
