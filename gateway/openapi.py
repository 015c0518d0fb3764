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
_ANTHROPIC_ERROR = {
    "type": "object",
    "required": ["type", "error", "request_id"],
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
        "request_id": {"type": "string"},
    },
}
_GEMINI_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "status"],
            "properties": {
                "code": {"type": "integer"},
                "message": {"type": "string"},
                "status": {"type": "string"},
                "details": {"type": "array"},
            },
        }
    },
}
_GATEWAY_HEADERS = {
    "x-request-id": {"description": "The caller's own id, or a new one.", "schema": {"type": "string"}},
    "x-gateway-target": {"description": "provider/model that answered.", "schema": {"type": "string"}},
    "x-gateway-attempts": {"description": "Tries that were made.", "schema": {"type": "integer"}},
    "x-gateway-dropped-params": {
        "description": "What of the request the model that answered could not be told; absent where it was told all.",
        "schema": {"type": "string"},
    },
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
    *,
    body: dict[str, Any] | None = None,
    answer: str = "application/json",
    takes: str = "application/json",
    errors: Mapping[str, Any] = _ERROR,
    secured: bool = True,
) -> dict[str, Any]:
    error = {"description": "An error", "content": {"application/json": {"schema": errors}}}
    extra: dict[str, Any] = {
        "responses": {
            200: {
                "description": "OK",
                "headers": _CALL_HEADERS if body else {"x-request-id": _CALL_HEADERS["x-request-id"]},
                "content": {kind: {"schema": {"type": "object"}} for kind in answer.split()},
            },
            "4XX": error,
            "5XX": error,
        }
    }
    if secured:
        extra["security"] = [{"bearer": []}, {"apiKey": []}]
    if body:
        extra["requestBody"] = {"required": True, "content": {takes: {"schema": body}}}
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
_MODEL = {"model": {"type": "string", "minLength": 1}}
IMAGE = _operation(
    answer="application/json text/event-stream",
    body={
        "type": "object",
        "required": ["model", "prompt"],
        "properties": {**_MODEL, "prompt": {"type": "string"}, "n": _COUNT, "size": {"type": ["string", "null"]}},
    },
)
SPEECH = _operation(
    answer="audio/mpeg audio/wav audio/ogg audio/flac audio/aac application/octet-stream text/event-stream",
    body={
        "type": "object",
        "required": ["model", "input"],
        "properties": {**_MODEL, "input": {"type": "string"}, "voice": {"type": ["string", "object", "null"]}},
    },
)
FORM = _operation(
    answer="application/json text/plain text/event-stream",
    body={"type": "object", "required": ["model"], "properties": _MODEL},
    takes="multipart/form-data",
)
MODERATION = _operation(
    body={
        "type": "object",
        "required": ["model", "input"],
        "properties": {**_MODEL, "input": {"anyOf": [{"type": "string"}, {"type": "array"}]}},
    }
)
RERANK = _operation(
    body={
        "type": "object",
        "required": ["model", "query", "documents"],
        "properties": {
            **_MODEL,
            "query": {"type": "string"},
            "documents": {"type": "array", "minItems": 1, "items": {"type": ["string", "object"]}},
            "top_n": _COUNT,
            "return_documents": {"type": ["boolean", "null"]},
        },
    }
)
MESSAGES = _operation(
    answer="application/json text/event-stream",
    body={
        "type": "object",
        "required": ["model", "messages", "max_tokens"],
        "properties": {
            **_MODEL,
            "messages": {"type": "array", "minItems": 1, "items": {"type": "object"}},
            "max_tokens": {"type": "integer", "minimum": 1},
            "stream": {"type": ["boolean", "null"]},
            **_MAX_COST,
        },
    },
    errors=_ANTHROPIC_ERROR,
)
GENERATE = _operation(
    answer="application/json text/event-stream",
    body={"type": "object", "properties": {"contents": {"type": "array", "items": {"type": "object"}}, **_MAX_COST}},
    errors=_GEMINI_ERROR,
)
_RESPONSE_INPUT = {
    **_MODEL,
    "input": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}, {"type": "null"}]},
    "instructions": {"type": ["string", "null"]},
    "previous_response_id": {"type": ["string", "null"]},
}
RESPONSE = _operation(
    answer="application/json text/event-stream",
    body={
        "type": "object",
        "required": ["model"],
        "properties": {
            **_RESPONSE_INPUT,
            "stream": {"type": ["boolean", "null"]},
            "store": {"type": ["boolean", "null"]},
            "max_output_tokens": _COUNT,
            "tools": {"type": ["array", "null"], "items": {"type": "object"}},
            **_MAX_COST,
        },
    },
)
RESPONSE_INPUT = _operation(
    body={"type": "object", "required": ["model"], "properties": {**_RESPONSE_INPUT, **_MAX_COST}}
)
READ = _operation()
READ_CONTENT = _operation(errors=_GEMINI_ERROR)
OPEN = _operation(secured=False)
PASSTHROUGH = _operation(answer="application/json text/event-stream application/octet-stream")
