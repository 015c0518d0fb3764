"""What the OpenAPI document says beyond paths: bodies and answers, derived from the types the dialect checks."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
                "request_id": {"type": "string"},
            },
        }
    },
}
_GATEWAY_HEADERS = {
    "x-request-id": {"description": "The caller's own id, or a new one.", "schema": {"type": "string"}},
    "x-gateway-target": {"description": "provider/model that answered.", "schema": {"type": "string"}},
    "x-gateway-attempts": {"description": "Tries that were made.", "schema": {"type": "integer"}},
    "x-gateway-cost-usd": {
        "description": "What the call cost; absent on streams (see usage.cost), `unknown` without a price.",
        "schema": {"type": "string"},
    },
}
_LIMIT_HEADERS = {
    f"x-ratelimit-{what}-{kind}": {
        "description": f"{said} the tightest limit of {kind} that holds for the call; absent where none does.",
        "schema": {"type": "string" if what == "reset" else "integer"},
    }
    for what, said in (("limit", "Of"), ("remaining", "What is left of"), ("reset", "Time to the full reset of"))
    for kind in ("requests", "tokens")
} | {
    "x-gateway-budget-remaining-usd": {
        "description": "What is left of the tightest hard budget that holds for the call.",
        "schema": {"type": "string"},
    }
}
_CALL_HEADERS = _GATEWAY_HEADERS | _LIMIT_HEADERS
_STREAM = {
    "stream": {"type": ["boolean", "null"]},
    "stream_options": {"type": ["object", "null"], "properties": {"include_usage": {"type": ["boolean", "null"]}}},
}
_COUNT = {"type": ["integer", "null"], "minimum": 1}
_MAX_COST = {
    "max_cost_usd": {
        "type": ["number", "null"],
        "minimum": 0,
        "description": "The most that the call may cost, all its tries together. It stays at the gateway.",
    }
}

SECURITY_SCHEMES: Mapping[str, Any] = MappingProxyType(
    {
        "bearer": {"type": "http", "scheme": "bearer", "description": "A virtual key."},
        "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    }
)


def _operation(
    *, body: dict[str, Any] | None = None, answer: str = "application/json", secured: bool = True
) -> dict[str, Any]:
    errors = {"description": "An error", "content": {"application/json": {"schema": _ERROR}}}
    extra: dict[str, Any] = {
        "responses": {
            200: {
                "description": "OK",
                "headers": _CALL_HEADERS if body else {"x-request-id": _CALL_HEADERS["x-request-id"]},
                "content": {kind: {"schema": {"type": "object"}} for kind in answer.split()},
            },
            "4XX": errors,
            "5XX": errors,
        }
    }
    if secured:
        extra["security"] = [{"bearer": []}, {"apiKey": []}]
    if body:
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return extra


CHAT = _operation(
    answer="application/json text/event-stream",
    body={
        "type": "object",
        "required": ["model", "messages"],
        "properties": {
            "model": {"type": "string", "minLength": 1},
            "messages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["role"],
                    "properties": {
                        "role": {"type": "string"},
                        "content": {
                            "anyOf": [
                                {"type": "string"},
                                {"type": "array", "items": {"type": "object"}},
                                {"type": "null"},
                            ]
                        },
                    },
                },
            },
            **_STREAM,
            "max_tokens": {"type": ["integer", "null"], "minimum": 0},
            "max_completion_tokens": _COUNT,
            "n": _COUNT,
            "temperature": {"type": ["number", "null"]},
            "top_p": {"type": ["number", "null"]},
            "tools": {"type": ["array", "null"], "items": {"type": "object"}},
            **_MAX_COST,
        },
    },
)
COMPLETION = _operation(
    answer="application/json text/event-stream",
    body={
        "type": "object",
        "required": ["model", "prompt"],
        "properties": {
            "model": {"type": "string", "minLength": 1},
            "prompt": {"anyOf": [{"type": "string"}, {"type": "array"}]},
            **_STREAM,
            "max_tokens": {"type": ["integer", "null"], "minimum": 0},
            "n": _COUNT,
            **_MAX_COST,
        },
    },
)
EMBEDDING = _operation(
    body={
        "type": "object",
        "required": ["model", "input"],
        "properties": {
            "model": {"type": "string", "minLength": 1},
            "input": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "minItems": 1}]},
            "encoding_format": {"type": ["string", "null"]},
            "dimensions": _COUNT,
            **_MAX_COST,
        },
    },
)
DRY_RUN = _operation(
    body={
        "type": "object",
        "required": ["model"],
        "properties": {"model": {"type": "string", "minLength": 1}, **_MAX_COST},
        "description": "The body of a chat completion, a completion or an embedding.",
    }
)
READ = _operation()
OPEN = _operation(secured=False)
