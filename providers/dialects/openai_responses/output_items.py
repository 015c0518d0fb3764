"""Parts of an answer to and from the items of `output`."""

from collections.abc import Iterable
from typing import Any

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    Choice,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from providers.dialects.openai_responses import wire
from providers.dialects.openai_responses.citations import read_citation, write_citation
from providers.dialects.openai_responses.ending import status_of
from providers.dialects.openai_responses.history import read_reasoning
from providers.dialects.openai_responses.signatures import Carried, wrap

Item = dict[str, Any] | msgspec.Raw


class ItemIds:
    """Names the items of one answer after the answer."""

    def __init__(self, answer_id: str) -> None:
        self._stem = answer_id.partition("_")[2] or answer_id

    def item(self, prefix: str, index: int) -> str:
        """Return the id of an item, such as `msg_0199…_0`."""
        return f"{prefix}_{self._stem}_{index}"


def write_output(choice: Choice, ids: ItemIds) -> list[Item]:
    """Return the items that say a choice; what only another dialect can say is left out."""
    items: list[Item] = []
    content: list[Any] = []
    logprobs = choice.logprobs
    for part in choice.parts:
        if isinstance(part, Text):
            content.append(text_part(part, logprobs))
            logprobs = None
        elif isinstance(part, Refusal):
            content.append({"type": "refusal", "refusal": part.text})
        else:
            _close(items, content, ids)
            items += write_item(part, ids, len(items))
    _close(items, content, ids)
    if status_of(choice.finish) == "incomplete" and items and isinstance(items[-1], dict) and "status" in items[-1]:
        items[-1]["status"] = "incomplete"
    return items


def write_item(part: Part, ids: ItemIds, index: int) -> list[Item]:
    """Return the items that say a part which is no content of a message; `index` is the number of the first."""
    match part:
        case Thinking():
            return [reasoning_item(ids.item("rs", index), part)]
        case ToolCall():
            named = part if part.id else msgspec.structs.replace(part, id=ids.item("call", index))
            carrier = carrier_of(ids.item("rs", index), named)
            return [*carrier, call_item(ids.item("fc", index + len(carrier)), named)]
        case Image(source=source) if source.data:
            return [
                {
                    "type": "image_generation_call",
                    "id": ids.item("ig", index),
                    "status": "completed",
                    "result": source.data,
                }
            ]
        case Opaque(dialect=Dialect.RESPONSES):
            return [part.raw]
    return []


def text_part(part: Text, logprobs: msgspec.Raw | None = None) -> dict[str, Any]:
    """Return an `output_text`."""
    annotations = [write_citation(citation, text_length=len(part.text)) for citation in part.citations]
    return {
        "type": "output_text",
        "text": part.text,
        "annotations": [annotation for annotation in annotations if annotation is not None],
        "logprobs": [] if logprobs is None else logprobs,
    }


def message_item(item_id: str, content: list[Any], status: str = "completed") -> dict[str, Any]:
    """Return a message of the assistant's."""
    return {"type": "message", "id": item_id, "status": status, "role": "assistant", "content": content}


def reasoning_item(item_id: str, part: Thinking, status: str = "completed") -> dict[str, Any]:
    """Return a reasoning item; another vendor's signature travels in `encrypted_content`."""
    if part.dialect is Dialect.RESPONSES:
        sealed = part.signature or None
    else:
        sealed = wrap(Carried(part.dialect, part.signature, part.redacted))
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    item_id = part.id if part.id.startswith("rs_") else item_id
    return {"type": "reasoning", "id": item_id, "status": status, "summary": summary, "encrypted_content": sealed}


def call_item(item_id: str, part: ToolCall, status: str = "completed") -> dict[str, Any]:
    """Return a function call."""
    return {
        "type": "function_call",
        "id": item_id,
        "status": status,
        "call_id": part.id,
        "name": part.name,
        "arguments": part.arguments,
    }


def carrier_of(item_id: str, part: ToolCall) -> list[Item]:
    """Return the reasoning item that brings a call's signature back on the next turn, where there is one."""
    if not part.signature or part.dialect is Dialect.RESPONSES:
        return []
    sealed = wrap(Carried(part.dialect, part.signature, call_id=part.id))
    return [
        {"type": "reasoning", "id": item_id, "status": "completed", "summary": [], "encrypted_content": sealed},
    ]


def read_output(raws: Iterable[msgspec.Raw]) -> list[Part]:
    """Return the parts that the items of an answer say. Raises msgspec.DecodeError for items of no such form."""
    return [part for raw in raws for part in read_item(raw)]


def read_item(raw: msgspec.Raw) -> list[Part]:
    """Return the parts that one item says; one that only this dialect knows stays whole."""
    kind = wire.KIND.decode(raw).type or ""
    if kind == "message":
        content = wire.ANSWERED.decode(raw).content or []
        parts = [Text(content)] if isinstance(content, str) else [read_content(piece) for piece in content]
        return [part for part in parts if part != Text("")]
    if kind == "function_call":
        call = wire.CALL.decode(raw)
        return [ToolCall(call.call_id, call.name, call.arguments)]
    if kind == "reasoning":
        return [read_reasoning(wire.REASONING.decode(raw))]
    return [Opaque(Dialect.RESPONSES, kind, raw)]


def read_content(raw: msgspec.Raw) -> Part:
    """Return a part of a message."""
    kind = wire.KIND.decode(raw).type or ""
    if kind == "output_text":
        part = wire.TEXT.decode(raw)
        return Text(part.text, citations=tuple(read_citation(annotation) for annotation in part.annotations or ()))
    if kind == "refusal":
        return Refusal(wire.REFUSAL.decode(raw).refusal)
    return Opaque(Dialect.RESPONSES, kind, raw)


def _close(items: list[Item], content: list[Any], ids: ItemIds) -> None:
    """Put what was gathered into a message, if anything was."""
    if content:
        items.append(message_item(ids.item("msg", len(items)), content.copy()))
        content.clear()
