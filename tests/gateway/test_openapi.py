"""The OpenAPI document says of each door what its dialect checks."""

from typing import Any

import msgspec
import pytest

from gateway import openapi
from gateway.views import api
from kernel.errors import GatewayError, InvalidRequest
from providers.dialects.canonical import Operation
from providers.dialects.openai_chat.errors import encode_error
from providers.dialects.openai_chat.request import decode_head

DOCUMENT: Any = api.get_openapi_schema(path_prefix="")
BODIES = {
    Operation.CHAT: (openapi.CHAT, {"model": "m", "messages": [{"role": "user"}]}),
    Operation.COMPLETION: (openapi.COMPLETION, {"model": "m", "prompt": "x"}),
    Operation.EMBEDDING: (openapi.EMBEDDING, {"model": "m", "input": "x"}),
}
WRONG = {"integer": "x", "number": "x", "boolean": "x", "object": 1, "array": 1, "string": 1}


def schema_of(operation: Operation) -> Any:
    return BODIES[operation][0]["requestBody"]["content"]["application/json"]["schema"]


@pytest.mark.parametrize("operation", BODIES)
def test_what_is_required_is_refused_where_it_is_missing(operation: Operation) -> None:
    _, body = BODIES[operation]
    assert set(schema_of(operation)["required"]) == body.keys()
    for name in body:
        rest = {key: value for key, value in body.items() if key != name}
        with pytest.raises(InvalidRequest) as caught:
            decode_head(operation, msgspec.json.encode(rest))
        assert (caught.value.param, caught.value.code) == (name, "missing_required_parameter")


@pytest.mark.parametrize("operation", BODIES)
def test_every_declared_type_is_checked_and_null_is_what_it_says(operation: Operation) -> None:
    _, body = BODIES[operation]
    decode_head(operation, msgspec.json.encode(body))
    for name, schema in schema_of(operation)["properties"].items():
        kinds = schema.get("type", [option["type"] for option in schema.get("anyOf", [])])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        wrong = WRONG[next(kind for kind in kinds if kind != "null")]
        wrong = {"a": 1} if name in {"prompt", "input"} else wrong
        with pytest.raises(InvalidRequest):
            decode_head(operation, msgspec.json.encode(body | {name: wrong}))
        if "null" in kinds:
            decode_head(operation, msgspec.json.encode(body | {name: None}))


@pytest.mark.parametrize("operation", BODIES)
def test_every_declared_minimum_holds(operation: Operation) -> None:
    _, body = BODIES[operation]
    for name, schema in schema_of(operation)["properties"].items():
        if "minimum" in schema:
            decode_head(operation, msgspec.json.encode(body | {name: schema["minimum"]}))
            with pytest.raises(InvalidRequest):
                decode_head(operation, msgspec.json.encode(body | {name: schema["minimum"] - 1}))


def test_every_error_has_what_the_document_requires() -> None:
    described = openapi.READ["responses"]["4XX"]["content"]["application/json"]["schema"]["properties"]["error"]
    written = msgspec.json.decode(encode_error(GatewayError("x"), request_id="r"))["error"]
    assert set(described["required"]) <= written.keys() == described["properties"].keys()


def test_every_door_but_two_is_secured() -> None:
    open_doors = {
        path for path, item in DOCUMENT["paths"].items() for operation in item.values() if "security" not in operation
    }
    assert open_doors == {"/health", "/ready"}
    named = {name for scheme in openapi.READ["security"] for name in scheme}
    assert named == DOCUMENT["components"]["securitySchemes"].keys()


def test_every_operation_is_described() -> None:
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            assert operation["description"]
            assert {"4XX", "5XX"} <= operation["responses"].keys()
