"""Changing only what must change of a request that passes to a server of the same dialect."""

import msgspec

from providers.dialects.anthropic_messages.versions import BodyVersion, body_version
from providers.dialects.canonical import Head
from providers.dialects.codec import Upstream
from providers.dialects.openai_chat.request import MAX_COST_FIELD

LEAST_BUDGET_TOKENS = 1_024  # anthropic-python 2.11, types/thinking_config_enabled_param.py

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Thinking(msgspec.Struct):
    type: str = ""
    budget_tokens: int = 0


_thinking = msgspec.json.Decoder(_Thinking)


def patch(body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
    """Return the body with the upstream's model, cap and version; every other value keeps its bytes.

    With `once` a field that stood twice stands once, as it was read. `max_cost_usd`, which only the gateway
    understands, is left out. A lower cap lowers the budget of thinking too, which has to be below it.
    """
    version = body_version(upstream.api_version)
    capped = upstream.cap is not None and upstream.cap != head.max_output_tokens
    renamed = upstream.model != head.model or bool(version.declared)
    if not (once or capped or renamed or head.max_cost_nanos is not None):
        return body
    fields = _object.decode(body)
    fields.pop(MAX_COST_FIELD, None)
    _address(fields, upstream.model, version)
    if capped and upstream.cap is not None:
        _set_cap(fields, upstream.cap)
    return msgspec.json.encode(fields)


def patch_count(body: bytes, upstream: Upstream, *, head: Head, once: bool) -> bytes:
    """Return the body of a request for a token count with the upstream's model; it has no cap, and keeps its model.

    On clouds too: their path for counting names no model (`lib/vertex/_client.py` of anthropic-python 2.11).
    """
    declared = body_version(upstream.api_version).declared
    if not (once or declared or upstream.model != head.model or head.max_cost_nanos is not None):
        return body
    fields = _object.decode(body)
    fields.pop(MAX_COST_FIELD, None)
    _address(fields, upstream.model, BodyVersion(declared=declared))
    return msgspec.json.encode(fields)


def _address(fields: dict[str, msgspec.Raw], model: str, version: BodyVersion) -> None:
    fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    if version.declared:
        fields["anthropic_version"] = msgspec.Raw(msgspec.json.encode(version.declared))
    if not version.names_model:
        fields.pop("model")
    if not version.names_stream:
        fields.pop("stream", None)


def _set_cap(fields: dict[str, msgspec.Raw], cap: int) -> None:
    fields["max_tokens"] = msgspec.Raw(b"%d" % cap)
    try:
        thinking = _thinking.decode(fields.get("thinking", msgspec.Raw(b"{}")))
    except msgspec.ValidationError:
        return  # the provider says what is wrong with it
    if thinking.type != "enabled" or thinking.budget_tokens < cap:
        return
    if cap > LEAST_BUDGET_TOKENS:
        lowered = _object.decode(fields["thinking"])
        lowered["budget_tokens"] = msgspec.Raw(b"%d" % (cap - 1))
        fields["thinking"] = msgspec.Raw(msgspec.json.encode(lowered))
    else:
        fields["thinking"] = msgspec.Raw(b'{"type":"disabled"}')
