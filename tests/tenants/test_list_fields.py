"""Lists of names as people edit them."""

import pytest

from tenants.list_fields import BoxesField, LinesField


@pytest.mark.parametrize(
    ("typed", "names"),
    [("", []), ("a", ["a"]), (" a \r\n\r\nb\n", ["a", "b"]), ("a\nb\na", ["a", "b"]), ("\n \n", [])],
)
def test_lines_become_names(typed: str, names: list[str]) -> None:
    assert LinesField().clean(typed) == names


def test_names_become_lines_and_back() -> None:
    field = LinesField()
    assert field.prepare_value(["a", "b c"]) == "a\nb c"
    assert not field.has_changed(["a", "b c"], "a\r\nb c")
    assert field.has_changed(["a"], "b")


def test_refused_text_is_shown_as_it_was_typed() -> None:
    assert LinesField().prepare_value("a\n\nb") == "a\n\nb"


def test_boxes_take_known_values_only() -> None:
    field = BoxesField(choices=[("a", "A"), ("b", "B")])
    assert field.clean(["b"]) == ["b"]
    assert not field.valid_value("c")
