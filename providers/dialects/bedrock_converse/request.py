"""Writing a request of Converse (botocore 1.44's ConverseRequest); the model stands in the path, not in the body.

What all families share goes into `inferenceConfig`, what one has of its own into `additionalModelRequestFields`.
"""

from typing import Any

import msgspec

from providers.dialects.bedrock_converse.content import ContentWriter
from providers.dialects.bedrock_converse.families import is_claude, is_nova
from providers.dialects.bedrock_converse.losses import Losses
from providers.dialects.bedrock_converse.thinking import Thinking, plan_thinking
from providers.dialects.bedrock_converse.tools import forces_tools, write_tools
from providers.dialects.canonical import Dialect, Feature
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.conversation import OutputFormat, Request
from providers.dialects.hints import sort_extras

_TEMPERATURE_MOST = 1.0
_TOP_P_BESIDE_THINKING = 0.95  # the least that Claude takes


def encode_request(request: Request, upstream: Upstream) -> Encoded:
    """Return the body. Raises InvalidRequest for content that the model can't take."""
    losses = Losses(request.dialect)
    cap = upstream.cap if upstream.cap is not None else request.max_output_tokens
    writer = ContentWriter(upstream.model, upstream.capabilities, losses)
    system, messages = writer.write(request)
    thinking = plan_thinking(request.reasoning, upstream, losses, cap=cap, tools_are_forced=forces_tools(request))
    fields: dict[str, Any] = dict(request.extras) if request.dialect is Dialect.CONVERSE else {}
    said = {
        "messages": messages,
        "system": system,
        "inferenceConfig": _write_inference(request, upstream, thinking, losses, cap=cap),
        "toolConfig": write_tools(request, writer, upstream.capabilities, losses),
        "additionalModelRequestFields": {**thinking.fields, **_write_top_k(request, upstream, thinking, losses)},
        "additionalModelResponseFieldPaths": ["/stop_sequence"] if request.stop and is_claude(upstream.model) else None,
        "outputConfig": _write_output(request.output_format, thinking, upstream, losses),
    }
    fields.update({name: value for name, value in said.items() if value})
    _report_the_rest(request, losses)
    return Encoded(msgspec.json.encode(fields), tuple(losses.unsupported), tuple(losses.ignored))


def _write_inference(
    request: Request, upstream: Upstream, thinking: Thinking, losses: Losses, *, cap: int | None
) -> dict[str, Any]:
    config: dict[str, Any] = {} if cap is None else {"maxTokens": cap}
    temperature = _temperature(request, upstream, thinking, losses)
    if temperature is not None:
        config["temperature"] = temperature
    top_p = _top_p(request, upstream, thinking, losses)
    if top_p is not None:
        config["topP"] = top_p
    stop = _stop(request, upstream, losses)
    if stop:
        config["stopSequences"] = stop
    return config


def _temperature(request: Request, upstream: Upstream, thinking: Thinking, losses: Losses) -> float | None:
    """Return the temperature to write; what is above Bedrock's scale becomes its end."""
    wanted = request.temperature
    if wanted is None:
        return None
    if not upstream.capabilities.has(Feature.SAMPLING) or (thinking.excludes_sampling and wanted != _TEMPERATURE_MOST):
        losses.miss("temperature")
        return None
    if wanted > _TEMPERATURE_MOST:
        losses.miss("temperature")
    return min(wanted, _TEMPERATURE_MOST)


def _top_p(request: Request, upstream: Upstream, thinking: Thinking, losses: Losses) -> float | None:
    wanted = request.top_p
    if wanted is None:
        return None
    if is_claude(upstream.model) and wanted == 1 and request.temperature is not None:
        return None  # it changes nothing, and Claude 4.5 and later refuse the two together
    if not upstream.capabilities.has(Feature.SAMPLING) or (
        thinking.excludes_sampling and wanted < _TOP_P_BESIDE_THINKING
    ):
        losses.miss("top_p")
        return None
    return wanted


def _stop(request: Request, upstream: Upstream, losses: Losses) -> list[str]:
    sequences = [sequence for sequence in request.stop if sequence]
    if sequences and not upstream.capabilities.has(Feature.STOP):
        losses.miss("stop")
        return []
    if not is_claude(upstream.model):
        return sequences
    visible = [sequence for sequence in sequences if sequence.strip()]  # Claude refuses mere space
    if len(visible) < len(sequences):
        losses.miss("stop")
    return visible


def _write_top_k(request: Request, upstream: Upstream, thinking: Thinking, losses: Losses) -> dict[str, Any]:
    if request.top_k is None:
        return {}
    if upstream.capabilities.has(Feature.SAMPLING) and not thinking.excludes_sampling:
        if is_claude(upstream.model):
            return {"top_k": request.top_k}
        if is_nova(upstream.model):
            return {"inferenceConfig": {"topK": request.top_k}}
    losses.miss("top_k")
    return {}


def _write_output(
    wanted: OutputFormat | None, thinking: Thinking, upstream: Upstream, losses: Losses
) -> dict[str, Any]:
    config: dict[str, Any] = {"effort": thinking.effort} if thinking.effort else {}
    if wanted is None or wanted.kind == "text":
        return config
    if wanted.kind != "json_schema" or wanted.schema is None or not upstream.capabilities.has(Feature.JSON_SCHEMA):
        losses.miss("response_format")
        return config
    named = {"name": wanted.name, "description": wanted.description}
    schema = {"schema": bytes(wanted.schema).decode(), **{name: value for name, value in named.items() if value}}
    config["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": schema}}
    return config


def _report_the_rest(request: Request, losses: Losses) -> None:
    """Note what Converse has no field for."""
    for field in ("frequency_penalty", "presence_penalty", "logprobs", "top_logprobs"):
        if getattr(request, field):
            losses.miss(field)
    if request.seed is not None:
        losses.miss("seed")
    if request.n is not None and request.n != 1:
        losses.miss("n")
    for field in ("user", "metadata"):
        if getattr(request, field):
            losses.overlook(field)
    unsupported, ignored = sort_extras(request, Dialect.CONVERSE)
    losses.unsupported.update(dict.fromkeys(unsupported))
    losses.ignored.update(dict.fromkeys(ignored))
