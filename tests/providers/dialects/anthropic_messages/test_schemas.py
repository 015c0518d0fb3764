"""Schemas are made such as the vendor takes them, and no others are touched."""

import json
from typing import Any

import msgspec
import pytest

from providers.dialects.anthropic_messages.schemas import close_objects, tool_schema


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def test_every_object_is_closed_and_no_data_is() -> None:
    inner = {"type": "object", "properties": {"type": {"type": "string", "enum": ["object"]}}}
    schema = {
        "type": "object",
        "properties": {"a": inner, "b": {"anyOf": [{"type": "object", "additionalProperties": True}]}},
        "default": {"type": "object"},
    }
    closed = json.loads(bytes(close_objects(_raw(schema))))
    assert closed["additionalProperties"] is False
    assert closed["properties"]["a"] == inner | {"additionalProperties": False}
    assert closed["properties"]["b"]["anyOf"][0]["additionalProperties"] is True
    assert closed["default"] == {"type": "object"}


@pytest.mark.parametrize("given", [None, _raw({}), _raw(None), _raw(True)])
def test_a_tool_that_takes_nothing(given: msgspec.Raw | None) -> None:
    assert json.loads(bytes(tool_schema(given))) == {"type": "object", "properties": {}}


def test_a_tool_s_schema_says_that_it_is_of_an_object() -> None:
    plain = _raw({"type": "object", "x": 1})
    assert tool_schema(plain) is plain
    assert json.loads(bytes(tool_schema(_raw({"properties": {}})))) == {"type": "object", "properties": {}}
