"""What a model thought, as this dialect's clients and servers pass it around; OpenAI itself has no words for it.

Text is `reasoning_content` (DeepSeek, most servers) or `reasoning` (OpenRouter). What has to come back to be checked
stands in `reasoning_details` (OpenRouter's, @openrouter/sdk 1.3): `reasoning.text` with a signature, and
`reasoning.encrypted`. `format` says whose it is: the name of a dialect where this gateway wrote it. LiteLLM's
`thinking_blocks` are read too. The signature of a tool call stands in its `extra_content.google` where it is Google's
(its OpenAI-compatible endpoint, November 2026), else in an encrypted detail with the call's id.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Part, Thinking, ToolCall

_FORMATS: Mapping[str, Dialect] = {  # OpenRouter's names
    "anthropic-claude-v1": Dialect.ANTHROPIC,
    "google-gemini-v1": Dialect.GEMINI,
    "openai-responses-v1": Dialect.RESPONSES,
}


class Detail(msgspec.Struct, omit_defaults=True):
    """One of the `reasoning_details`; those with the same `index` belong to one thought."""

    type: str | None = ""
    text: str | None = ""
    summary: str | None = ""
    signature: str | None = ""
    data: str | None = ""
    format: str | None = ""
    id: str | None = ""
    index: int | None = None


class Block(msgspec.Struct):
    """One of LiteLLM's `thinking_blocks`, which are Anthropic's."""

    type: str = "thinking"
    thinking: str | None = ""
    signature: str | None = ""
    data: str | None = ""


class Google(msgspec.Struct):
    """What Google adds to a tool call."""

    thought_signature: str | None = None


class ExtraContent(msgspec.Struct):
    """Where a vendor adds something to a tool call."""

    google: Google | None = None


def read_thoughts(
    text: str, details: Iterable[Detail], blocks: Iterable[Block] = (), *, foreign: bool = True
) -> list[Thinking]:
    """Return the thoughts of a message: of its details where it has any, else of its blocks, else its plain text.

    Without `foreign` a format that another gateway named is not taken for that vendor's own: it is the server's that
    sent it, and goes back only there.
    """
    thoughts = _group(details, foreign=foreign) or [_of_block(block) for block in blocks]
    if not text or any(thought.text for thought in thoughts):
        return thoughts
    for place, thought in enumerate(thoughts):
        if thought.signature:  # a detail that leaves its text to the other field
            thoughts[place] = msgspec.structs.replace(thought, text=text)
            return thoughts
    return [Thinking(text), *thoughts]


def dialect_of(name: str | None, *, foreign: bool = True) -> Dialect:
    """Return whose signature a detail's format says it is; this dialect's where it says nothing known."""
    try:
        return Dialect(name or "")
    except ValueError:
        return _FORMATS.get(name or "", Dialect.OPENAI) if foreign else Dialect.OPENAI


def signatures_of_calls(details: Iterable[Detail], call_ids: set[str]) -> dict[str, tuple[str, Dialect]]:
    """Return the signatures that stand in details under the id of a tool call."""
    return {
        detail.id: (detail.data, dialect_of(detail.format))
        for detail in details
        if detail.id in call_ids and detail.data
    }


def write_thoughts(parts: Iterable[Part]) -> dict[str, Any]:
    """Return the fields of a message that say its thoughts; without details where nothing is signed."""
    thoughts = [part for part in parts if isinstance(part, Thinking)]
    calls = [part for part in parts if isinstance(part, ToolCall) and is_detailed(part)]
    fields: dict[str, Any] = {}
    text = "".join(thought.text for thought in thoughts)
    if text:
        fields["reasoning_content"] = text
    if calls or any(thought.signature or thought.redacted or thought.id for thought in thoughts):
        details = [detail for index, thought in enumerate(thoughts) for detail in write_details(thought, index)]
        fields["reasoning_details"] = details + [detail_of_call(call) for call in calls]
    return fields


def write_details(thought: Thinking, index: int) -> list[Detail]:
    """Return the details of one thought."""
    name = thought.dialect.value if thought.dialect else ""
    details = []
    if thought.text or thought.signature or not thought.redacted:
        details.append(
            Detail(
                type="reasoning.text",
                text=thought.text,
                signature=thought.signature,
                format=name,
                id=thought.id,
                index=index,
            )
        )
    if thought.redacted:
        details.append(
            Detail(type="reasoning.encrypted", data=thought.redacted, format=name, id=thought.id, index=index)
        )
    return details


def is_detailed(call: ToolCall) -> bool:
    """Tell whether a tool call's signature is written as a detail."""
    return bool(call.signature) and call.dialect is not Dialect.GEMINI


def detail_of_call(call: ToolCall) -> Detail:
    """Return the detail that holds a tool call's signature."""
    name = call.dialect.value if call.dialect else ""
    return Detail(type="reasoning.encrypted", data=call.signature, format=name, id=call.id)


def _group(details: Iterable[Detail], *, foreign: bool) -> list[Thinking]:
    """Put pieces of one thought together: those with the same index, or with the same id where there is none."""
    grouped: dict[object, Thinking] = {}
    for place, detail in enumerate(details):
        key = detail.index if detail.index is not None else (detail.id or f"place {place}")
        known = grouped.get(key, Thinking())
        is_signed = bool(detail.signature or detail.data or detail.format)
        grouped[key] = Thinking(
            text=known.text + (detail.text or detail.summary or ""),
            signature=known.signature + (detail.signature or ""),
            redacted=known.redacted + (detail.data or ""),
            id=known.id or detail.id or "",
            dialect=dialect_of(detail.format, foreign=foreign) if is_signed else known.dialect,
        )
    return list(grouped.values())


def _of_block(block: Block) -> Thinking:
    return Thinking(
        text=block.thinking or "",
        signature=block.signature or "",
        redacted=block.data or "",
        dialect=Dialect.ANTHROPIC,
    )
