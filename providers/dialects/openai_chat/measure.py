"""How much a model has to read of a request, for estimates where a provider reports no usage.

Text counts by its bytes. What is not text has no size in tokens that a gateway could see: an image, a file or a sound
counts as a fixed number, near what vendors charge for a picture of usual size.
"""

from typing import Any

import msgspec

from providers.dialects.canonical import BYTES_A_TOKEN

MESSAGE_BYTES = 4 * BYTES_A_TOKEN  # what wraps each message
ATTACHMENT_BYTES = 1000 * BYTES_A_TOKEN


class Message(msgspec.Struct):
    """A chat message as far as it is checked and measured."""

    role: str
    content: str | list[dict[str, Any]] | None = None


def measure_chat(messages: list[Message], tools: list[dict[str, Any]] | None) -> int:
    """Return the bytes of a conversation and its tools."""
    total = len(msgspec.json.encode(tools)) if tools else 0
    for message in messages:
        content = message.content
        if isinstance(content, str):
            total += MESSAGE_BYTES + measure_text(content)
        elif content:
            total += MESSAGE_BYTES + sum(_measure_part(part) for part in content)
        else:
            total += MESSAGE_BYTES
    return total


def measure_input(given: str | list[Any]) -> int:
    """Return the bytes of a prompt or an embedding's input: texts, or tokens that were counted already."""
    if isinstance(given, str):
        return measure_text(given)
    return sum(measure_input(item) if isinstance(item, str | list) else BYTES_A_TOKEN for item in given)


def measure_text(text: str) -> int:
    """Return the bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def _measure_part(part: dict[str, Any]) -> int:
    text = part.get("text")
    return measure_text(text) if isinstance(text, str) else ATTACHMENT_BYTES
