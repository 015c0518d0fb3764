"""Content blocks of a request, written: the hub's parts in the form that the model's vendor takes them.

Anthropic refuses blocks of text without a word in them, tool ids of other than letters, digits, `_` and `-`, and
thoughts that it didn't sign (its documentation of the Messages API, November 2026).
"""

import binascii
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.tools import write_mark
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.conversation import (
    Document,
    Image,
    Opaque,
    Part,
    Refusal,
    Role,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

_PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_PDF = "application/pdf"
_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")


class Page(msgspec.Struct, frozen=True):
    """What blocks are written on: whose message it is, what the model takes, whether the client speaks the dialect.

    `strict` tells that the API of 2026-10-21 reads it.
    """

    role: Role
    capabilities: Capabilities
    own: bool
    strict: bool = False


def write_parts(parts: Sequence[Part], page: Page, at: str) -> list[Any]:
    """Return the blocks; parts that say nothing are left out. Raises InvalidRequest for what the model can't take."""
    blocks: list[Any] = []
    for position, part in enumerate(parts):
        if isinstance(part, Text):  # the usual part, which no model refuses: it needs no place for a complaint
            blocks += _write_text(part, page)
        else:
            blocks += _write(part, page, f"{at}[{position}]")
    return blocks


def tool_id(identity: str) -> str:
    """Return the id of a tool call in the letters that Anthropic takes, the same one for call and result."""
    return _NOT_IN_AN_ID.sub("_", identity) or "_"


def refuse(why: str, at: str) -> InvalidRequest:
    """Return the error for content that the model can't be given."""
    return InvalidRequest(f"{at}: {why}", code="unsupported_content", param=at)


def _write(part: Part, page: Page, at: str) -> list[Any]:  # noqa: PLR0911 - one line a kind of part
    match part:
        case Refusal():
            return _write_text(Text(part.text), page)
        case Image():
            return [_write_image(part, page, at)]
        case Document():
            return [_write_document(part, page, at)]
        case Thinking():
            return _write_thinking(part) if page.role == "assistant" else []
        case ToolCall():
            return [_write_call(part, page, at)]
        case ToolResult():
            return [_write_result(part, page, at)]
        case Opaque() if part.dialect is Dialect.ANTHROPIC:
            return [part.raw]
        case Opaque():
            raise refuse(f"the model's vendor has no {part.kind!r}", at)
    raise refuse(f"the model takes no {type(part).__name__.lower()}", at)


def _write_text(part: Text, page: Page) -> list[Any]:
    if not part.text.strip():
        return []
    block: dict[str, Any] = {"type": "text", "text": part.text}
    if part.citations and page.role == "assistant":
        citations = [citation.raw for citation in part.citations if citation.dialect is Dialect.ANTHROPIC]
        if citations:
            block["citations"] = citations
    return [_marked(block, part, page)]


def _write_image(part: Image, page: Page, at: str) -> dict[str, Any]:
    if not page.capabilities.has(Feature.IMAGES):
        raise refuse("the model takes no images", at)
    source = part.source
    media_type = "image/jpeg" if source.media_type == "image/jpg" else source.media_type
    if source.data and media_type not in _PICTURES:
        raise refuse(f"the model takes no images of type {media_type!r}, only {', '.join(_PICTURES)}", at)
    return _marked({"type": "image", "source": _write_source(source, media_type, page, at)}, part, page)


def _write_document(part: Document, page: Page, at: str) -> dict[str, Any]:
    if not page.capabilities.has(Feature.DOCUMENTS):
        raise refuse("the model takes no documents", at)
    if page.strict and page.role == "assistant":
        raise refuse("the assistant's messages hold no documents", at)
    block: dict[str, Any] = {"type": "document", "source": _document_source(part, page, at)}
    if part.title:
        block["title"] = part.title
    if part.context:
        block["context"] = part.context
    if part.citations:
        block["citations"] = {"enabled": True}
    return _marked(block, part, page)


def _document_source(part: Document, page: Page, at: str) -> dict[str, Any]:
    source = part.source
    text = part.text
    if source.data and source.media_type.startswith("text/"):
        text = _bytes_of(source.data, at).decode(errors="replace")
    if text or not (source.data or source.url or source.file_id):
        return {"type": "text", "media_type": "text/plain", "data": text}
    if source.data and source.media_type != _PDF:
        raise refuse(f"the model takes no documents of type {source.media_type!r}, only PDF and text", at)
    return _write_source(source, _PDF, page, at)


def _write_source(source: Source, media_type: str, page: Page, at: str) -> dict[str, Any]:
    if source.data:
        if not page.own:
            _bytes_of(source.data, at)
        return {"type": "base64", "media_type": media_type, "data": source.data}
    if source.url:
        if not page.capabilities.has(Feature.IMAGE_URLS):
            raise refuse("the model takes no addresses, only inline data", at)
        return {"type": "url", "url": source.url}
    if source.file_id and page.own:
        return {"type": "file", "file_id": source.file_id}
    raise refuse("a file kept by another vendor can't be read by the model", at)


def _bytes_of(data: str, at: str) -> bytes:
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except ValueError as error:
        message = f"{at}: the inline data is not valid base64: {error}"
        raise InvalidRequest(message, code="invalid_base64", param=at) from error


def _write_thinking(part: Thinking) -> list[dict[str, Any]]:
    if part.dialect not in (None, Dialect.ANTHROPIC):
        return []
    blocks: list[dict[str, Any]] = []
    if part.signature:
        blocks.append({"type": "thinking", "thinking": part.text, "signature": part.signature})
    if part.redacted:
        blocks.append({"type": "redacted_thinking", "data": part.redacted})
    return blocks


def _write_call(part: ToolCall, page: Page, at: str) -> dict[str, Any]:
    block = {"type": "tool_use", "id": tool_id(part.id), "name": part.name, "input": _input(part.arguments, at)}
    return _marked(block, part, page)


def _input(arguments: str, at: str) -> msgspec.Raw:
    if not arguments.strip():
        return msgspec.Raw(b"{}")
    try:
        if isinstance(msgspec.json.decode(arguments), dict):
            return msgspec.Raw(arguments.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise refuse(f"the arguments of the tool call are not JSON: {error}", at) from error
    raise refuse("the arguments of the tool call are no JSON object", at)


def _write_result(part: ToolResult, page: Page, at: str) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": tool_id(part.call_id)}
    if content := write_parts(part.parts, page, f"{at}.content"):
        block["content"] = content
    if part.failed:
        block["is_error"] = True
    return _marked(block, part, page)


def _marked(block: dict[str, Any], part: Text | Image | Document | ToolCall | ToolResult, page: Page) -> dict[str, Any]:
    if part.cache and page.capabilities.has(Feature.CACHE_MARKS):
        block["cache_control"] = write_mark(part.cache)
    return block
