"""OpenAI's own types as judges of what is written: every key present that is required, every value of its kind."""

import json
from typing import Any

from openai._models import construct_type, validate_type
from openai.types.responses import Response, ResponseStreamEvent

from providers.dialects import sse

# The open specification of Responses, November 2026.
REQUIRED = frozenset(
    (
        *("id", "object", "created_at", "completed_at", "status", "incomplete_details", "model"),
        *("previous_response_id", "instructions", "output", "error", "tools", "tool_choice", "truncation"),
        *("parallel_tool_calls", "text", "top_p", "presence_penalty", "frequency_penalty", "top_logprobs"),
        *("temperature", "reasoning", "usage", "max_output_tokens", "max_tool_calls", "store", "background"),
        *("service_tier", "metadata", "safety_identifier", "prompt_cache_key"),
    )
)


def check_response(fields: dict[str, Any]) -> Response:
    """Return a response as OpenAI's client reads it, strictly; fails where it is none."""
    assert fields.keys() >= REQUIRED, REQUIRED - fields.keys()
    return Response.model_validate(fields, strict=True)


def check_stream(data: bytes) -> list[dict[str, Any]]:
    """Return the events of a stream; fails for one that OpenAI's client would not take, or that is out of order."""
    events = []
    for number, event in enumerate(sse.EventSplitter().feed(data)):
        payload = sse.data_of(event)
        assert payload is not None
        fields = json.loads(payload)
        assert event.startswith(b"event: " + fields["type"].encode() + b"\n")
        assert fields["sequence_number"] == number
        validate_type(type_=ResponseStreamEvent, value=fields)
        built: Any = construct_type(type_=ResponseStreamEvent, value=fields)
        assert built.type == fields["type"]
        if "response" in fields:
            check_response(fields["response"])
        events.append(fields)
    return events
