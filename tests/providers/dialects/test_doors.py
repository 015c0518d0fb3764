"""The doors are whole: each can read what comes, and either translates or passes."""

import pytest

from gateway.manner import BY_DIALECT
from providers.dialects import doors
from providers.dialects.door import Door
from providers.dialects.table import BACKS

DOORS = {name: value for name, value in vars(doors).items() if isinstance(value, Door)}


@pytest.mark.parametrize("name", DOORS)
def test_a_door_reads_and_either_translates_or_passes(name: str) -> None:
    door = DOORS[name]
    assert door.heads is not None
    assert door.front is not None or door.through is not None
    assert door.dialect in BY_DIALECT
    assert (door.encode_count is not None) is (door.operation.value == "token_count")


def test_what_is_translated_has_somebody_to_translate_for() -> None:
    operations = {operation for _, operation in BACKS}
    fronts = {door.operation for door in DOORS.values() if door.front is not None}
    assert fronts - {operation for operation in fronts if operation.value == "completion"} <= operations
