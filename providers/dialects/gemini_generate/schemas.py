"""Google's schema of parameters and answers turned into a JSON Schema, which every other vendor reads.

It is OpenAPI 3.0's: types in capitals, `nullable` beside them, `example`, and sizes that may be strings as proto JSON
writes 64-bit numbers (google-genai 3.4, `Schema`; November 2026). Both spellings of its fields are read.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_SIZES = ("maxItems", "minItems", "maxLength", "minLength", "maxProperties", "minProperties")
_KEPT = ("title", "description", "format", "pattern", "minimum", "maximum", "default", "enum", "required", "$ref")
_SNAKE: Mapping[str, str] = {
    **{re.sub("([A-Z])", lambda found: "_" + found[1].lower(), name): name for name in _SIZES},
    "any_of": "anyOf",
    "additional_properties": "additionalProperties",
    "ref": "$ref",
    "defs": "$defs",
}


def to_json_schema(raw: msgspec.Raw) -> msgspec.Raw:
    """Return the JSON Schema that says the same; a schema that is JSON Schema already stays what it is."""
    schema = msgspec.json.decode(raw)
    return msgspec.Raw(msgspec.json.encode(_convert(schema))) if isinstance(schema, dict) else raw


def _convert(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    schema = {_SNAKE.get(name, name): value for name, value in given.items()}
    out: dict[str, Any] = {name: schema[name] for name in _KEPT if name in schema}
    if isinstance(schema.get("type"), str | list):
        out["type"] = _type(schema["type"], nullable=bool(schema.get("nullable")))
    if "enum" in out and schema.get("nullable") and isinstance(out["enum"], list):
        out["enum"] = [*out["enum"], None]
    out |= {name: _size(schema[name]) for name in _SIZES if name in schema}
    for name in ("items", "additionalProperties"):
        if name in schema:
            out[name] = _convert(schema[name])
    for name in ("properties", "$defs"):
        if isinstance(schema.get(name), dict):
            out[name] = {key: _convert(value) for key, value in schema[name].items()}
    if isinstance(schema.get("anyOf"), list):
        out["anyOf"] = [_convert(value) for value in schema["anyOf"]]
    if "example" in schema:
        out["examples"] = [schema["example"]]
    return out


def _type(given: str | list[Any], *, nullable: bool) -> str | list[str]:
    types = [str(name).lower() for name in (given if isinstance(given, list) else [given])]
    if nullable and "null" not in types:
        types.append("null")
    return types if len(types) > 1 else types[0]


def _size(given: Any) -> Any:
    return int(given) if isinstance(given, str) and given.isdecimal() else given
