"""Directions are found in texts and model names, and a wrong one is told."""

from typing import Any

import pytest

from providers.mock.directions import FAULTS, Directions, read_directions, without_directions


@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [
        ("m", "hello", Directions()),
        ("m?status=429&retry_after=1.5", "", Directions(status=429, retry_after=1.5)),
        ("m", "say [[mock tokens=3 pace_ms=5]] this", Directions(tokens=3, pace_ms=5)),
        ("m?tokens=1&fails=2", "[[mock tokens=9]]", Directions(tokens=9, fails=2)),
        ("m", "[[mock tokens=1]] [[mock tokens=2 tool=1]]", Directions(tokens=2, tool=1)),
        ("m", "[[mock ]]", Directions()),
    ],
)
def test_directions_are_read(model: str, text: str, expected: Directions) -> None:
    assert read_directions(model=model, text=text) == ("m", expected)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_can_be_asked_for(fault: str) -> None:
    assert read_directions(model="m", text=f"[[mock fault={fault}]]")[1].fault == fault


@pytest.mark.parametrize(
    "text", ["[[mock stauts=1]]", "[[mock status=x]]", "[[mock fault=y]]", "[[mock tokens]]", "[[mock tokens=1.5]]"]
)
def test_a_wrong_one_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="mock direction"):
        read_directions(model="m", text=text)


@pytest.mark.parametrize(("text", "rest"), [("a [[mock tokens=1]]", "a"), ("[[mock x=1]]", ""), ("[[b]]", "[[b]]")])
def test_they_are_no_part_of_what_was_said(text: str, rest: Any) -> None:
    assert without_directions(text) == rest
