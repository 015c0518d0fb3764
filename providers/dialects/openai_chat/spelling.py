"""How some servers of this dialect want it spelled, where they refuse what they don't know.

Mistral answers 422 to a field it has not (mistralai 3.7, November 2026): its fields are listed, the others are left
out. It says `random_seed`, `any` for a tool that must be called, and has no role `developer`.
"""

import re

import msgspec

MISTRAL = "mistral"
GATEWAYS_OWN = "max_cost_usd"

_OTHER_NAMES = (("seed", "random_seed"), ("max_completion_tokens", "max_tokens"), ("dimensions", "output_dimension"))
_CHAT_FIELDS = frozenset(
    (
        *("model", "messages", "temperature", "top_p", "top_k", "max_tokens", "min_tokens", "stream", "stop", "n"),
        *("random_seed", "metadata", "response_format", "tools", "tool_choice", "parallel_tool_calls", "prediction"),
        *("presence_penalty", "frequency_penalty", "repetition_penalty", "logprobs", "top_logprobs"),
        *("prompt_logprobs", "top_prompt_logprobs", "reasoning_effort", "prompt_mode", "guardrails", "safe_prompt"),
    )
)
_COMPLETION_FIELDS = ("prompt", "suffix")
_EMBEDDING_FIELDS = ("input", "output_dimension", "output_dtype", "encoding_format")
_KNOWN = _CHAT_FIELDS.union(_COMPLETION_FIELDS, _EMBEDDING_FIELDS)

# Quotes inside of a JSON text are escaped, so that this only ever finds a member of an object.
_DEVELOPER = re.compile(rb'("role"\s*:\s*)"developer"')


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RENAMED = frozenset(name for name, _ in _OTHER_NAMES)


def unspoken(body: bytes, spelling: str) -> tuple[str, ...]:
    """Return the names of the fields that `respell` would drop of a body, those that are the gateway's own aside."""
    if spelling != MISTRAL:
        return ()
    return tuple(name for name in _fields.decode(body) if name not in _KNOWN | _RENAMED and name != GATEWAYS_OWN)


def respell(fields: dict[str, msgspec.Raw], spelling: str) -> tuple[str, ...]:
    """Rename and drop the fields of a body in place, and return the names of those dropped."""
    if spelling != MISTRAL:
        return ()
    for name, other in _OTHER_NAMES:
        if name in fields:
            value = fields.pop(name)
            fields.setdefault(other, value)
    if bytes(fields.get("tool_choice", b"")) == b'"required"':
        fields["tool_choice"] = msgspec.Raw(b'"any"')
    if "messages" in fields:
        fields["messages"] = msgspec.Raw(_DEVELOPER.sub(rb'\1"system"', bytes(fields["messages"])))
    dropped = tuple(name for name in fields if name not in _KNOWN)
    for name in dropped:
        del fields[name]
    return dropped
