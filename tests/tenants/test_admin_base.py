"""What the pages share: rows that nobody writes, columns and buttons as unfold reads them."""

from django.http import HttpRequest

from tenants.admin_base import ViewOnly, button, column
from tenants.models import User


def test_even_a_superuser_writes_nothing_that_is_to_look_at() -> None:
    request = HttpRequest()
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    page = ViewOnly()
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)


def test_a_described_column_is_still_the_function_it_was() -> None:
    @column("the sum", ordering="total", label={"a": "success"})
    def total(number: int) -> int:
        return number + 1

    assert total(1) == 2
    assert (total.short_description, total.admin_order_field) == ("the sum", "total")  # type: ignore[attr-defined]


def test_a_button_says_who_may_press_it() -> None:
    @button("Stop", icon="block", permissions=("change",))
    def stop() -> None:
        """Stop."""

    assert (stop.short_description, stop.allowed_permissions) == ("Stop", ("change",))  # type: ignore[attr-defined]
