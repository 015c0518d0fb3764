"""The response as a resource: what was asked, repeated, around what was answered.

Thirty keys are required, those without a value as null (the open specification of Responses, November 2026); the
values of what was not asked are OpenAI's defaults.
"""

from typing import Any

import msgspec

from providers.dialects.codec import Asked
from providers.dialects.openai_responses.wire import KIND, OBJECT

Resource = dict[str, Any]

_TIERS = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
_DEFAULTS: Resource = {
    "previous_response_id": None,
    "instructions": None,
    "tool_choice": "auto",
    "truncation": "disabled",
    "parallel_tool_calls": True,
    "top_p": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "top_logprobs": 0,
    "temperature": 1.0,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "store": True,
    "background": False,
    "service_tier": "default",
    "metadata": {},
    "safety_identifier": None,
    "prompt_cache_key": None,
}
_list = msgspec.json.Decoder(list[msgspec.Raw])


def resource_of(asked: Asked, *, model: str) -> Resource:
    """Return the resource of a response that has begun: in progress, without output."""
    fields = {name: raw for name, raw in OBJECT.decode(asked.body).items() if bytes(raw) != b"null"}
    echoed = {name: fields.get(name, usual) for name, usual in _DEFAULTS.items()}
    return {
        "id": asked.answer_id,
        "object": "response",
        "created_at": asked.created_at_s,
        "completed_at": None,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": model or asked.model,
        "output": [],
        "usage": None,
        "tools": [_whole_tool(raw) for raw in _list.decode(fields.get("tools", b"[]"))],
        "text": {"format": {"type": "text"}} | _inside(fields.get("text")),
        "reasoning": {"effort": None, "summary": None} | _inside(fields.get("reasoning")),
        **echoed,
        **({"user": fields["user"]} if "user" in fields else {}),
    }


def served_tier(tier: str) -> str:
    """Return a tier that the dialect knows; another vendor's is its usual one."""
    return tier if tier in _TIERS else "default"


def _inside(raw: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    if raw is None:
        return {}
    return {name: value for name, value in OBJECT.decode(raw).items() if bytes(value) != b"null"}


def _whole_tool(raw: msgspec.Raw) -> Any:
    """Return a tool with the keys that the resource's functions need."""
    if KIND.decode(raw).type != "function":
        return raw
    return {"description": None, "parameters": None, "strict": None} | OBJECT.decode(raw)
