"""How much a model has to read of a request: cheap figures for every call, and the texts for whoever counts them.

The figures mean what `openai_chat.measure` says. A picture, or a document at an address, shows no size in the body.
"""

from typing import Any

import msgspec

from providers.dialects.canonical import Prompt
from providers.dialects.openai_chat.measure import (
    ATTACHMENT_BYTES,
    ATTACHMENT_TOKENS,
    FILE_BYTES_A_TOKEN,
    MESSAGE_BYTES,
    PICTURE_TOKENS_MOST,
    TOOLS_TOKENS,
    WRAPPING_TOKENS,
    measure_text,
)

Blocks = str | list[dict[str, Any]] | None

_NAMES = ("id", "tool_use_id", "name", "title", "context", "source")
_fields = msgspec.json.Decoder(dict[str, Any])


class Message(msgspec.Struct):
    """A message as far as it is checked and measured."""

    role: str
    content: Blocks = None


class _Seen:
    """What was found in the blocks of a prompt."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.markup: list[str] = []
        self.pictures = 0
        self.attachment_tokens = 0

    def add(self, blocks: Any) -> None:
        if isinstance(blocks, list):
            for block in blocks:
                if isinstance(block, dict):
                    self._add_block(block)
        elif isinstance(blocks, str):
            self.texts.append(blocks)

    def _add_block(self, block: dict[str, Any]) -> None:
        kind = block.get("type")
        text = block.get("text", block.get("thinking"))
        self.texts.append(text if isinstance(text, str) else "")
        self.markup += [value for name in _NAMES if isinstance(value := block.get(name), str)]
        if "input" in block:
            self.markup.append(msgspec.json.encode(block["input"]).decode())
        if kind == "image":
            self.pictures += 1
        elif kind == "document":
            self._add_document(block.get("source"))
        else:
            self.add(block.get("content"))

    def _add_document(self, source: Any) -> None:
        if not isinstance(source, dict):
            return
        if source.get("type") in ("text", "content"):
            self.add(source.get("data", source.get("content")))
        else:
            self.attachment_tokens += ATTACHMENT_TOKENS + _inline_bytes(source) // FILE_BYTES_A_TOKEN


def measure(messages: list[Message], system: Blocks, tools: list[dict[str, Any]] | None) -> tuple[int, int]:
    """Return the bytes of a prompt, and the tokens it can take beyond one for each of the body's bytes.

    The second is below zero where attachments take fewer tokens than bytes.
    """
    total, surplus = _measure_blocks(system) if system else (0, 0)
    surplus += WRAPPING_TOKENS
    if tools:
        total += len(msgspec.json.encode(tools))
        surplus += TOOLS_TOKENS
    for message in messages:
        block_bytes, block_surplus = _measure_blocks(message.content)
        total += MESSAGE_BYTES + block_bytes
        surplus += block_surplus
    return total, surplus


def read_prompt(body: bytes) -> Prompt:
    """Return what the model reads of a request whose head was decoded without complaint."""
    fields = _fields.decode(body)
    seen = _Seen()
    seen.add(fields.get("system"))
    messages = fields.get("messages") or []
    for message in messages:
        seen.markup.append(message["role"])
        seen.add(message.get("content"))
    extra = [fields[name] for name in ("tools", "output_config") if fields.get(name)]
    return Prompt(
        texts=tuple(seen.texts),
        markup=(*seen.markup, *(msgspec.json.encode(value).decode() for value in extra)),
        messages=len(messages),
        pictures=seen.pictures,
        attachment_tokens=seen.attachment_tokens,
        has_tools=bool(fields.get("tools")),
    )


def _measure_blocks(blocks: Any) -> tuple[int, int]:
    if isinstance(blocks, str):
        return measure_text(blocks), 0
    total = surplus = 0
    for block in blocks if isinstance(blocks, list) else ():
        block_bytes, block_surplus = _measure_block(block) if isinstance(block, dict) else (0, 0)
        total += block_bytes
        surplus += block_surplus
    return total, surplus


def _measure_block(block: dict[str, Any]) -> tuple[int, int]:
    text = block.get("text", block.get("thinking"))
    if isinstance(text, str):
        return measure_text(text), 0
    kind, source = block.get("type"), block.get("source")
    if kind == "image":
        return ATTACHMENT_BYTES, PICTURE_TOKENS_MOST - _inline_bytes(source)
    if kind == "document":
        return _measure_document(source)
    if kind == "tool_result":
        return _measure_blocks(block.get("content"))
    return len(msgspec.json.encode(block)), 0


def _measure_document(source: Any) -> tuple[int, int]:
    kind = source.get("type") if isinstance(source, dict) else None
    if kind in ("text", "content"):
        return _measure_blocks(source.get("data", source.get("content")))
    inline = _inline_bytes(source)
    return ATTACHMENT_BYTES, ATTACHMENT_TOKENS + inline // FILE_BYTES_A_TOKEN - inline


def _inline_bytes(source: Any) -> int:
    data = source.get("data") if isinstance(source, dict) else None
    return len(data) if isinstance(data, str) else 0
