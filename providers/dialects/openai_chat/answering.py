"""A whole answer written as a chat completion.

OpenAI's specification 2.3.0; thoughts and pictures as OpenRouter and DeepSeek write them. Every key that OpenAI's own
answers have is there, null where it says nothing: strict clients look for them.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.codec import Asked
from providers.dialects.conversation import Answer, Choice, Image, Opaque, Part, Refusal, Text, ToolCall
from providers.dialects.openai_chat.annotations import write_annotation
from providers.dialects.openai_chat.finishes import write_finish
from providers.dialects.openai_chat.parts import Fields
from providers.dialects.openai_chat.sources import write_source
from providers.dialects.openai_chat.thoughts import write_thoughts
from providers.dialects.openai_chat.usage import write_usage

_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})


def encode_answer(answer: Answer, asked: Asked) -> bytes:
    """Return the body of a chat completion."""
    fields: Fields = {
        "id": answer.id or asked.answer_id,
        "object": "chat.completion",
        "created": asked.created_at_s,
        "model": answer.model or asked.model,
        "choices": [_write_choice(choice) for choice in answer.choices],
    }
    if answer.usage is not None:
        fields["usage"] = write_usage(answer.usage)
    if answer.service_tier in _TIERS:
        fields["service_tier"] = answer.service_tier
    fields["system_fingerprint"] = None
    return msgspec.json.encode(fields)


def write_call(call: ToolCall) -> Fields:
    """Return a tool call, with the signature that Google wants back."""
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    fields: Fields = {"id": call.id, "type": "function", "function": function}
    if call.signature and call.dialect is Dialect.GEMINI:
        fields["extra_content"] = {"google": {"thought_signature": call.signature}}
    return fields


def write_image(image: Image) -> Fields:
    """Return a picture that a model made."""
    return {"type": "image_url", "image_url": {"url": write_source(image.source, media_type="image/png")}}


def write_logprobs(tokens: msgspec.Raw | None) -> Fields | None:
    """Return the object around a list of tokens."""
    return None if tokens is None else {"content": tokens, "refusal": None}


def _write_choice(choice: Choice) -> Fields:
    refused = any(isinstance(part, Refusal) for part in choice.parts)
    fields: Fields = {
        "index": choice.index,
        "message": _write_message(choice.parts),
        "logprobs": write_logprobs(choice.logprobs),
        "finish_reason": write_finish(choice.finish, refused=refused),
    }
    if choice.stop_sequence:
        fields["stop_reason"] = choice.stop_sequence
    return fields


def _write_message(parts: Sequence[Part]) -> Fields:
    texts = [part for part in parts if isinstance(part, Text)]
    refusals = [part.text for part in parts if isinstance(part, Refusal)]
    content = "".join(part.text for part in texts)
    fields: dict[str, Any] = {
        "role": "assistant",
        "content": content if texts else None,
        "refusal": "".join(refusals) if refusals else None,
        "annotations": _write_annotations(texts),
        **write_thoughts(parts),
    }
    if images := [write_image(part) for part in parts if isinstance(part, Image)]:
        fields["images"] = images
    own = [part for part in parts if isinstance(part, Opaque) and part.dialect is Dialect.OPENAI]
    for part in own:
        if part.kind == "audio":
            fields["audio"] = part.raw
    calls: list[Any] = [write_call(part) for part in parts if isinstance(part, ToolCall)]
    calls += [part.raw for part in own if part.kind.endswith("_tool_call")]
    if calls:
        fields["tool_calls"] = calls
    return fields


def _write_annotations(texts: Sequence[Text]) -> list[Fields]:
    found: list[Fields | None] = []
    base = 0
    for text in texts:
        found += [write_annotation(cited, base=base, length=len(text.text)) for cited in text.citations]
        base += len(text.text)
    return [annotation for annotation in found if annotation is not None]
