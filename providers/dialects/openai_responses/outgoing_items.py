"""Messages of the hub to items of a request."""

import binascii
from collections.abc import Iterable
from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.conversation import (
    Audio,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Refusal,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from providers.dialects.openai_responses.citations import write_citation
from providers.dialects.openai_responses.wire import refuse

Item = dict[str, Any] | msgspec.Raw

_CONTENT_KINDS = ("input_", "output_", "text", "summary_text", "reasoning_text", "computer_screenshot")
_OWN_FILES = (Dialect.RESPONSES, Dialect.OPENAI)  # both name files of the same vendor


class ItemWriter:
    """Writes the items of one request; knows which calls were made, and says where something can't be said.

    Raises InvalidRequest for content that the model can't take.
    """

    def __init__(self, capabilities: Capabilities, dialect: Dialect) -> None:
        self._capabilities = capabilities
        self._dialect = dialect
        self._calls: set[str] = set()

    def write(self, messages: Iterable[Message], *, first: int = 0) -> list[Item]:
        """Return the items of all messages; `first` is the number of the first one within the request."""
        items: list[Item] = []
        for number, message in enumerate(messages, first):
            items += self._write_message(message, f"messages[{number}]")
        return items

    def _write_message(self, message: Message, at: str) -> list[Item]:
        items: list[Item] = []
        content: list[Item] = []
        for index, part in enumerate(message.parts):
            here = f"{at}.content[{index}]"
            if _is_content(part):
                content += self._write_content(part, message.role, here)
                continue
            _close(items, content, message.role)
            items += self._write_item(part, here)
        _close(items, content, message.role)
        return items

    def _write_item(self, part: Part, at: str) -> list[Item]:
        match part:
            case ToolCall():
                self._calls.add(part.id)
                arguments = part.arguments or "{}"
                return [{"type": "function_call", "call_id": part.id, "name": part.name, "arguments": arguments}]
            case ToolResult():
                return [self._write_result(part, at)]
            case Thinking():
                return _write_thinking(part)
            case Opaque(dialect=Dialect.RESPONSES):
                return [part.raw]
        raise _unsupported(f"{type(part).__name__.lower()} content", at)

    def _write_result(self, part: ToolResult, at: str) -> Item:
        if part.call_id not in self._calls:
            raise refuse(f"No tool call has the id '{part.call_id}'.", param=at, code="invalid_tool_result")
        output: list[Item] = [piece for inner in part.parts for piece in self._write_content(inner, "user", at)]
        said: list[Item] | str = output or ""
        match part.parts:
            case (Text(text=text, cache=""),):
                said = text
        return {"type": "function_call_output", "call_id": part.call_id, "output": said}

    def _write_content(self, part: Part, role: str, at: str) -> list[Item]:  # noqa: PLR0911 - one line a kind
        match part:
            case Text():
                return [self._write_text(part, role)] if part.text else []
            case Refusal():
                if role == "assistant":
                    return [{"type": "refusal", "refusal": part.text}]
                return [{"type": "input_text", "text": part.text}]
            case Image() if role != "assistant":
                return [self._write_image(part, at)]
            case Document() if role != "assistant":
                return [self._write_document(part, at)]
            case Audio() if role != "assistant":
                return [self._write_audio(part, at)]
            case Opaque(dialect=Dialect.RESPONSES):
                return [part.raw]
        raise _unsupported(f"{type(part).__name__.lower()} content", at)

    def _write_text(self, part: Text, role: str) -> Item:
        if role == "assistant":
            annotations = [write_citation(citation, text_length=len(part.text)) for citation in part.citations]
            said = [annotation for annotation in annotations if annotation is not None]
            return {"type": "output_text", "text": part.text, "annotations": said}
        return {"type": "input_text", "text": part.text, **self._mark(part.cache)}

    def _write_image(self, part: Image, at: str) -> Item:
        self._require(Feature.IMAGES, "images", at)
        if part.source.url:
            self._require(Feature.IMAGE_URLS, "images at an address", at)
        item: dict[str, Any] = {"type": "input_image", "detail": part.detail or "auto", **self._mark(part.cache)}
        if part.source.file_id:
            return item | {"file_id": self._own_file(part.source, at)}
        return item | {"image_url": part.source.url or _data_url(part.source, "image/png", at)}

    def _write_document(self, part: Document, at: str) -> Item:
        if part.text:
            heading = "\n".join(line for line in (part.title, part.context) if line)
            text = f"{heading}\n\n{part.text}" if heading else part.text
            return {"type": "input_text", "text": text, **self._mark(part.cache)}
        self._require(Feature.DOCUMENTS, "documents", at)
        item: dict[str, Any] = {"type": "input_file", **self._mark(part.cache)}
        if part.source.file_id:
            return item | {"file_id": self._own_file(part.source, at)}
        if part.source.url:
            return item | {"file_url": part.source.url}
        data = _data_url(part.source, "application/pdf", at)
        return item | {"filename": part.title or "document", "file_data": data}

    def _write_audio(self, part: Audio, at: str) -> Item:
        self._require(Feature.AUDIO, "sound", at)
        _check_base64(part.source.data, at)
        return {"type": "input_audio", "input_audio": {"data": part.source.data, "format": part.format or "wav"}}

    def _mark(self, mark: str) -> dict[str, Any]:
        """Return the mark for the cache where the client spoke this dialect; older models refuse the field."""
        if not mark or self._dialect is not Dialect.RESPONSES:
            return {}
        return {"prompt_cache_breakpoint": {"mode": "explicit"} | ({"ttl": "12h"} if mark == "1h" else {})}

    def _own_file(self, source: Source, at: str) -> str:
        if self._dialect not in _OWN_FILES:
            raise _unsupported("a file that another vendor keeps", at)
        return source.file_id

    def _require(self, feature: Feature, what: str, at: str) -> None:
        if not self._capabilities.has(feature):
            raise _unsupported(what, at)


def _is_content(part: Part) -> bool:
    if isinstance(part, Opaque):
        return part.kind.startswith(_CONTENT_KINDS)
    return not isinstance(part, ToolCall | ToolResult | Thinking)


def _close(items: list[Item], content: list[Item], role: str) -> None:
    """Put what was gathered into a message, if anything was."""
    if content:
        items.append({"type": "message", "role": role, "content": content.copy()})
        content.clear()


def _write_thinking(part: Thinking) -> list[Item]:
    """Only what this vendor signed or keeps can be given back to it."""
    if part.dialect is not Dialect.RESPONSES or not (part.signature or part.id):
        return []
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    item: dict[str, Any] = {"type": "reasoning", "summary": summary}
    if part.id:
        item["id"] = part.id
    if part.signature:
        item["encrypted_content"] = part.signature
    return [item]


def _data_url(source: Source, usual_type: str, at: str) -> str:
    _check_base64(source.data, at)
    return f"data:{source.media_type or usual_type};base64,{source.data}"


def _check_base64(data: str, at: str) -> None:
    try:
        binascii.a2b_base64(data, strict_mode=True)
    except ValueError as error:
        raise refuse(f"The data is not base64: {error}", param=at, code="invalid_base64") from error


def _unsupported(what: str, at: str) -> InvalidRequest:
    return refuse(f"The model can't take {what}.", param=at, code="unsupported_content")
