"""How much a model has to read of a request of items; the figures mean what they mean in `openai_chat.measure`."""

from typing import Any

import msgspec

from providers.dialects.canonical import Prompt
from providers.dialects.openai_chat.measure import (
    ATTACHMENT_BYTES,
    ATTACHMENT_TOKENS,
    AUDIO_BYTES_A_TOKEN,
    FILE_BYTES_A_TOKEN,
    MESSAGE_BYTES,
    PICTURE_TOKENS_MOST,
    TOOLS_TOKENS,
    WRAPPING_TOKENS,
    measure_text,
)

Item = dict[str, Any]

_ATTACHMENTS = ("input_image", "input_file", "input_audio")
# What is known to be for the server and never for the model; anything else counts as read.
_UNREAD = frozenset(
    (
        *("model", "input", "user", "metadata", "stream_options", "service_tier", "include", "truncation"),
        *("previous_response_id", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
        *("safety_identifier", "store", "background"),
    )
)

_any = msgspec.json.Decoder(dict[str, Any])


def measure_items(given: str | list[Item] | None, tools: list[Item] | None, instructions: str) -> tuple[int, int]:
    """Return the bytes of a conversation and its tools, and the tokens it can take beyond one for each of the body's.

    The second is below zero where attachments take fewer tokens than bytes.
    """
    total, surplus = measure_text(instructions), WRAPPING_TOKENS
    if tools:
        total, surplus = total + len(msgspec.json.encode(tools)), surplus + TOOLS_TOKENS
    if given is None or isinstance(given, str):
        return total + measure_text(given or "") + MESSAGE_BYTES, surplus
    for item in given:
        total += MESSAGE_BYTES
        parts = _parts_of(item)
        if parts is None:
            total += _size_of(item)
            continue
        for part in parts:
            is_attachment = part.get("type") in _ATTACHMENTS
            total += ATTACHMENT_BYTES if is_attachment else _size_of(part)
            surplus += _surplus_tokens(part) if is_attachment else 0
    return total, surplus


def read_prompt(body: bytes) -> Prompt:
    """Return what the model reads of a request whose head was decoded without complaint."""
    fields = _any.decode(body)
    given = fields.get("input")
    markup = [_as_text(value) for name, value in fields.items() if name not in _UNREAD and _is_readable(value)]
    if given is None or isinstance(given, str):
        return Prompt(texts=(given or "",), markup=tuple(markup), messages=1, has_tools=bool(fields.get("tools")))
    texts: list[str] = []
    pictures = attachment_tokens = 0
    for item in given:
        parts = _parts_of(item)
        markup += [_as_text(value) for name, value in item.items() if name not in ("content", "output", "id")]
        texts += [_text_of(part) for part in ([item] if parts is None else parts)]
        for part in parts or ():
            pictures += part.get("type") == "input_image"
            attachment_tokens += _attachment_tokens(part) if part.get("type") in _ATTACHMENTS[1:] else 0
    return Prompt(
        texts=tuple(texts),
        markup=tuple(markup),
        messages=len(given),
        pictures=pictures,
        attachment_tokens=attachment_tokens,
        has_tools=bool(fields.get("tools")),
    )


def _parts_of(item: Item) -> list[Item] | None:
    """Return the parts of a message or of a tool's result; None where an item has none."""
    inner = item.get("content") or item.get("output")
    if isinstance(inner, list) and all(isinstance(part, dict) for part in inner):
        return inner
    return None


def _text_of(piece: Item) -> str:
    for name in ("text", "refusal", "content", "output"):
        if isinstance(piece.get(name), str):
            return str(piece[name])
    return ""


def _size_of(piece: Item) -> int:
    text = _text_of(piece)
    return measure_text(text) if text else len(msgspec.json.encode(piece))


def _surplus_tokens(part: Item) -> int:
    """Return what an attachment may take beyond a token for each of its bytes; below zero where it takes fewer."""
    if part["type"] == "input_image":
        return PICTURE_TOKENS_MOST - _inline_bytes(part)
    if part["type"] == "input_audio":
        return _attachment_tokens(part) - _inline_bytes(part)
    return ATTACHMENT_TOKENS


def _attachment_tokens(part: Item) -> int:
    bytes_a_token = AUDIO_BYTES_A_TOKEN if part["type"] == "input_audio" else FILE_BYTES_A_TOKEN
    return ATTACHMENT_TOKENS + _inline_bytes(part) // bytes_a_token


def _inline_bytes(part: Item) -> int:
    """Return the length of the longest text in an attachment: its data, or the address that it is to be found at."""
    inner = part.get("input_audio")
    values = inner.values() if isinstance(inner, dict) else part.values()
    return max((len(value) for value in values if isinstance(value, str)), default=0)


def _is_readable(value: Any) -> bool:
    return isinstance(value, str | list | dict) and bool(value)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
