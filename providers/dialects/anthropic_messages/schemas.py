"""JSON Schemas as Anthropic takes them.

A schema for an answer has to forbid what it doesn't name, `additionalProperties: false` in each object (Anthropic's
page on structured outputs, November 2026); other vendors leave it open. A tool's schema has to say that it is one of an
object.
"""

from typing import Any

import msgspec

_EMPTY = msgspec.Raw(b'{"type":"object","properties":{}}')
_VALUES = frozenset(("const", "enum", "default", "examples", "example"))  # hold data, not schemas


def close_objects(schema: msgspec.Raw) -> msgspec.Raw:
    """Return the schema with every object closed; an object that says itself what else it may have keeps that."""
    return msgspec.Raw(msgspec.json.encode(_closed(msgspec.json.decode(schema))))


def tool_schema(parameters: msgspec.Raw | None) -> msgspec.Raw:
    """Return the schema of a tool's input; an object without properties where the tool takes nothing."""
    schema = msgspec.json.decode(parameters) if parameters is not None else None
    if not isinstance(schema, dict) or not schema or parameters is None:
        return _EMPTY
    return parameters if "type" in schema else msgspec.Raw(msgspec.json.encode({"type": "object"} | schema))


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {name: value if name in _VALUES else _closed(value) for name, value in node.items()}
    if node.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
