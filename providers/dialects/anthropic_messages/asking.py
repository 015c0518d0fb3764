"""A request in Anthropic's words, and what of it could not be said in them."""

import re
from typing import Any

import msgspec

from providers.dialects.anthropic_messages.reasoning import Written, write_reasoning
from providers.dialects.anthropic_messages.sampling import write_sampling
from providers.dialects.anthropic_messages.schemas import close_objects
from providers.dialects.anthropic_messages.tools import write_tools
from providers.dialects.anthropic_messages.turns import write_turns
from providers.dialects.anthropic_messages.versions import BodyVersion, body_version
from providers.dialects.canonical import Dialect, Feature
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.conversation import Request
from providers.dialects.hints import sort_extras
from providers.dialects.wording import spell

_USUAL_MAX_TOKENS = 4_096
_ANONYMOUS = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_.:-]{1,256}\Z")

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def encode_request(request: Request, upstream: Upstream) -> Encoded:
    """Return the body of a request for a message. Raises InvalidRequest for content that the model can't take."""
    version = body_version(upstream.api_version)
    max_tokens = _max_tokens(request, upstream)
    reasoning = write_reasoning(request, upstream, max_tokens)
    fields, lost, ignored = _prompt(request, upstream, version, reasoning)
    sampling, sampling_lost = write_sampling(request, upstream, thinks=reasoning.is_on)
    stop, stop_lost = _stop(request, upstream)
    fields |= {"max_tokens": max_tokens} | sampling | stop
    if request.stream and version.names_stream:
        fields["stream"] = True
    user, user_ignored = _user(request)
    fields |= user
    if request.dialect is Dialect.ANTHROPIC:
        fields |= _own_extras(request, fields)
    extras_lost, extras_ignored = sort_extras(request, Dialect.ANTHROPIC)
    return Encoded(
        body=msgspec.json.encode(fields),
        unsupported=(*_spelled(request, (*lost, *sampling_lost, *stop_lost)), *extras_lost),
        ignored=(*ignored, *user_ignored, *extras_ignored),
    )


def encode_count_request(request: Request, upstream: Upstream) -> Encoded:
    """Return the body of a request for a token count: the prompt, and nothing of how it is answered.

    On clouds it keeps its model (`lib/vertex/_client.py` of anthropic-python 2.11).
    """
    version = BodyVersion(declared=body_version(upstream.api_version).declared)
    reasoning = write_reasoning(request, upstream, _max_tokens(request, upstream))
    fields, lost, ignored = _prompt(request, upstream, version, reasoning)
    return Encoded(body=msgspec.json.encode(fields), unsupported=_spelled(request, lost), ignored=ignored)


def _prompt(
    request: Request, upstream: Upstream, version: BodyVersion, reasoning: Written
) -> tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]:
    """Return the fields that the model reads, the names of what is lost, and of what is lost and doesn't matter."""
    fields: dict[str, Any] = {"model": upstream.model} if version.names_model else {}
    if version.declared:
        fields["anthropic_version"] = version.declared
    system, fields["messages"] = write_turns(request, upstream)
    if system:
        fields["system"] = system
    tools, tools_lost = write_tools(request, upstream.capabilities)
    fields |= tools
    if reasoning.thinking is not None:
        fields["thinking"] = reasoning.thinking
    output, output_lost = _output_config(request, upstream, reasoning)
    fields |= output
    lost = (*tools_lost, *(("reasoning",) if reasoning.lost else ()), *output_lost)
    return fields, lost, _ignored(request, upstream)


def _output_config(request: Request, upstream: Upstream, reasoning: Written) -> tuple[dict[str, Any], tuple[str, ...]]:
    config: dict[str, Any] = {"effort": reasoning.effort} if reasoning.effort else {}
    lost: tuple[str, ...] = ()
    wanted = request.output_format
    if wanted is not None and wanted.kind != "text":
        if wanted.schema is not None and upstream.capabilities.has(Feature.JSON_SCHEMA):
            own = request.dialect is Dialect.ANTHROPIC
            schema = wanted.schema if own else close_objects(wanted.schema)
            config["format"] = {"type": "json_schema", "schema": schema}
        else:
            lost = ("response_format",)
    return {"output_config": config} if config else {}, lost


def _max_tokens(request: Request, upstream: Upstream) -> int:
    if upstream.cap is not None:
        return upstream.cap
    if request.max_output_tokens is not None:
        return request.max_output_tokens
    return upstream.capabilities.max_output_tokens or _USUAL_MAX_TOKENS


def _stop(request: Request, upstream: Upstream) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the sequences that end the answer; one of mere white space is refused by the vendor."""
    said = [text for text in request.stop if text.strip()] if upstream.capabilities.has(Feature.STOP) else []
    return {"stop_sequences": said} if said else {}, () if len(said) == len(request.stop) else ("stop",)


def _user(request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return who asks; the vendor refuses what looks like a mail address or a telephone number."""
    if not request.user:
        return {}, ()
    if request.dialect is Dialect.ANTHROPIC or _ANONYMOUS.match(request.user):
        return {"metadata": {"user_id": request.user}}, ()
    return {}, ("user",)


def _ignored(request: Request, upstream: Upstream) -> tuple[str, ...]:
    names = [f"messages[{number}].name" for number, message in enumerate(request.messages) if message.name]
    if request.metadata:
        names.append("metadata")
    if not upstream.capabilities.has(Feature.CACHE_MARKS) and _has_marks(request):
        names.append("cache_control")
    return tuple(names)


def _has_marks(request: Request) -> bool:
    parts = (part for message in request.messages for part in message.parts)
    return any(getattr(part, "cache", "") for part in (*parts, *request.tools))


def _own_extras(request: Request, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the client's own fields, what it says of the output beside what is known of it."""
    extras: dict[str, Any] = dict(request.extras)
    if "output_config" in extras:
        extras["output_config"] = _object.decode(extras["output_config"]) | fields.get("output_config", {})
    return extras


def _spelled(request: Request, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(spell(name, request.dialect) for name in names)
