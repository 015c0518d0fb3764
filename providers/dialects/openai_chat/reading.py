"""A whole answer read in full, as what a model said whoever hears it."""

import msgspec

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Answer, Choice, Image, Opaque, Part, Refusal, Text, ToolCall
from providers.dialects.openai_chat.annotations import read_annotations
from providers.dialects.openai_chat.errors import reported
from providers.dialects.openai_chat.finishes import read_finish
from providers.dialects.openai_chat.messages import WireFunction, read_calls, without_calls
from providers.dialects.openai_chat.parts import ABSENT, is_said, read_content, read_part
from providers.dialects.openai_chat.response import describe
from providers.dialects.openai_chat.thoughts import Block, Detail, read_thoughts
from providers.dialects.openai_chat.usage import read_usage_leniently


class WireLogprobs(msgspec.Struct):
    """The tokens of a text with their probabilities, as OpenAI writes them."""

    content: msgspec.Raw = ABSENT


class _Message(msgspec.Struct):
    content: str | list[msgspec.Raw] | None = None
    refusal: str | None = None
    tool_calls: list[msgspec.Raw] | None = None
    function_call: WireFunction | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Detail] | None = None
    thinking_blocks: list[Block] | None = None
    annotations: list[msgspec.Raw] | None = None
    images: list[msgspec.Raw] | None = None
    audio: msgspec.Raw = ABSENT


class _Choice(msgspec.Struct):
    message: _Message | None = None
    text: str | None = None
    index: int = 0
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    logprobs: WireLogprobs | None = None


class _Answer(msgspec.Struct):
    id: str | None = ""
    model: str | None = ""
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT
    service_tier: str | None = ""


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> Answer:
    """Return the answer. Raises UpstreamBroken where the bytes are none, or report an error."""
    try:
        wire = _answer.decode(body)
        if is_said(wire.error):
            raise reported(body)
        if not wire.choices:
            raise UpstreamBroken("the provider's answer has no choices")
        choices = tuple(_read_choice(choice) for choice in wire.choices)
    except (msgspec.ValidationError, InvalidRequest) as error:
        raise UpstreamBroken(f"the provider's answer is not as its dialect has it: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken(describe(body)) from error
    return Answer(
        choices=choices,
        id=wire.id or "",
        model=wire.model or "",
        usage=read_usage_leniently(wire.usage),
        service_tier=wire.service_tier or "",
    )


def read_logprobs(wire: WireLogprobs | None) -> msgspec.Raw | None:
    """Return the list of tokens, None where there is none."""
    return wire.content.copy() if wire is not None and is_said(wire.content) else None


def read_images(raws: list[msgspec.Raw]) -> list[Image]:
    """Return the pictures that a model made, as OpenRouter's answers carry them. Raises InvalidRequest."""
    parts = [read_part(raw, "images") for raw in raws]
    return [part for part in parts if isinstance(part, Image)]


def _read_choice(wire: _Choice) -> Choice:
    message = wire.message or _Message(content=wire.text)
    parts = _read_parts(message)
    stop_sequence = wire.stop_reason if isinstance(wire.stop_reason, str) else ""
    finish = read_finish(
        wire.finish_reason or "",
        refused=any(isinstance(part, Refusal) for part in parts),
        has_calls=any(isinstance(part, ToolCall) for part in parts),
        stop_sequence=stop_sequence,
    )
    return Choice(
        parts=parts,
        finish=finish,
        index=wire.index,
        stop_sequence=stop_sequence,
        logprobs=read_logprobs(wire.logprobs),
    )


def _read_parts(message: _Message) -> tuple[Part, ...]:
    details = message.reasoning_details or []
    calls = read_calls(message.tool_calls or [], details)
    text = message.reasoning_content or message.reasoning or ""
    plain = without_calls(details, calls)
    parts: list[Part] = [*read_thoughts(text, plain, message.thinking_blocks or (), foreign=False)]
    parts += _with_citations(read_content(message.content, "content"), message.annotations or [])
    if message.refusal:
        parts.append(Refusal(message.refusal))
    parts += read_images(message.images or [])
    if is_said(message.audio):
        parts.append(Opaque(Dialect.OPENAI, "audio", message.audio.copy()))
    if message.function_call is not None:
        called = message.function_call
        calls.append(ToolCall(f"call_{called.name}", called.name, called.arguments or ""))
    return (*parts, *calls)


def _with_citations(parts: tuple[Part, ...], annotations: list[msgspec.Raw]) -> tuple[Part, ...]:
    citations = read_annotations(annotations)
    if not citations:
        return parts
    for place, part in enumerate(parts):
        if isinstance(part, Text):
            return (*parts[:place], msgspec.structs.replace(part, citations=citations), *parts[place + 1 :])
    return (*parts, Text("", citations=citations))
