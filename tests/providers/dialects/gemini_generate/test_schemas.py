import json
from typing import Any

import pytest

from providers.dialects.gemini_generate.schemas import to_json_schema
from tests.providers.dialects.gemini_generate.requests import raw


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "STRING"}, {"type": "string"}),
        ({"type": "INTEGER", "nullable": True}, {"type": ["integer", "null"]}),
        ({"type": "STRING", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        (
            {"type": "ARRAY", "items": {"type": "NUMBER"}, "min_items": "1"},
            {"type": "array", "items": {"type": "number"}, "minItems": 1},
        ),
        ({"any_of": [{"type": "STRING"}]}, {"anyOf": [{"type": "string"}]}),
        (
            {
                "type": "OBJECT",
                "properties": {"min_items": {"type": "STRING"}},
                "propertyOrdering": ["min_items"],
                "required": ["min_items"],
            },
            {"type": "object", "properties": {"min_items": {"type": "string"}}, "required": ["min_items"]},
        ),
        (
            {"type": "STRING", "example": "x", "description": "d"},
            {"type": "string", "examples": ["x"], "description": "d"},
        ),
        ({"type": "object", "additionalProperties": False}, {"type": "object", "additionalProperties": False}),
        (True, True),
    ],
)
def test_google_s_schema_becomes_a_json_schema(given: Any, expected: Any) -> None:
    assert json.loads(bytes(to_json_schema(raw(given)))) == expected
