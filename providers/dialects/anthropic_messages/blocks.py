"""Content blocks of a message, read: what each kind of block says in the hub's words.

Blocks that only Anthropic has (searches, code runs, search results) stay as they are (anthropic-python 2.11,
`types/content_block_param.py` and `types/content_block.py`).
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.citations import read_citation
from providers.dialects.anthropic_messages.signatures import unseal, unseal_tool
from providers.dialects.canonical import Dialect
from providers.dialects.complaints import explain
from providers.dialects.conversation import (
    CacheMark,
    Document,
    Image,
    Opaque,
    Part,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

T = TypeVar("T")
Content = str | list[msgspec.Raw] | None
_ABSENT = msgspec.Raw(b"")


class CacheControl(msgspec.Struct):
    """A mark up to which the vendor shall remember the prompt."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class _Kind(msgspec.Struct):
    type: str


class _Plain(msgspec.Struct, gc=False):
    type: str
    text: str = ""
    cache_control: msgspec.Raw = _ABSENT
    citations: msgspec.Raw = _ABSENT


class _Text(msgspec.Struct):
    text: str
    cache_control: CacheControl | None = None
    citations: list[msgspec.Raw] | None = None


class _Source(msgspec.Struct):
    type: str
    data: str = ""
    media_type: str = ""
    url: str = ""
    file_id: str = ""
    content: Content = None


class _Image(msgspec.Struct):
    source: _Source
    cache_control: CacheControl | None = None


class _Enabled(msgspec.Struct):
    enabled: bool | None = None


class _Document(msgspec.Struct):
    source: _Source
    title: str | None = None
    context: str | None = None
    citations: _Enabled | None = None
    cache_control: CacheControl | None = None


class _Thinking(msgspec.Struct):
    thinking: str
    signature: str | None = None


class _Redacted(msgspec.Struct):
    data: str


class _ToolUse(msgspec.Struct):
    id: str
    name: str
    input: msgspec.Raw
    cache_control: CacheControl | None = None


class _ToolResult(msgspec.Struct):
    tool_use_id: str
    content: Content = None
    is_error: bool | None = None
    cache_control: CacheControl | None = None


_kind = msgspec.json.Decoder(_Kind)
_plain = msgspec.json.Decoder(_Plain)


def read_blocks(content: Content, at: str) -> list[Part]:
    """Return the parts that a content has; `at` is where it stands. Raises InvalidRequest that names the field."""
    if content is None or isinstance(content, str):
        return [Text(content)] if content else []
    parts: list[Part] = []
    sealed: tuple[str, Dialect | None] | None = None
    for position, raw in enumerate(content):
        plain = _read_plain(raw)
        if plain is not None:
            sealed = None
            parts.append(plain)
            continue
        part = _read_block(raw, f"{at}[{position}]")
        if isinstance(part, Thinking) and (found := unseal_tool(part.redacted)) is not None:
            sealed = found
            continue
        if isinstance(part, ToolCall) and sealed is not None:
            part = msgspec.structs.replace(part, signature=sealed[0], dialect=sealed[1])
        sealed = None
        parts.append(part)
    return [_unsealed(part) for part in parts]


def read_words(content: Content) -> Text | None:
    """Return the text of a content that is one text without mark or citations, the usual one; None of any other."""
    if isinstance(content, str):
        return Text(content) if content else None
    return _read_plain(content[0]) if content is not None and len(content) == 1 else None


def mark_of(control: CacheControl | None) -> CacheMark:
    """Return the mark that a block carries; five minutes where it names no time."""
    return "" if control is None else control.ttl or "5m"


def _read_plain(raw: msgspec.Raw) -> Text | None:
    """Return a block that is words and nothing else, the usual one; None for any other, wrong ones included."""
    try:
        wire = _plain.decode(raw)
    except msgspec.ValidationError:
        return None
    if wire.type == "text" and wire.text and wire.cache_control is _ABSENT and wire.citations is _ABSENT:
        return Text(wire.text)
    return None


def _read_block(raw: msgspec.Raw, at: str) -> Part:
    kind = _decode(_kind, raw, at).type
    reader = _READERS.get(kind)
    return _opaque(kind, raw) if reader is None else reader(raw, at)


def _decode(decoder: "msgspec.json.Decoder[T]", raw: msgspec.Raw, at: str) -> T:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        complaint = explain(error)
        param = f"{at}.{complaint.param}" if complaint.param else at
        raise InvalidRequest(f"{param}: {complaint.message}", code=complaint.code, param=param) from error


def _opaque(kind: str, raw: msgspec.Raw) -> Opaque:
    return Opaque(Dialect.ANTHROPIC, kind, msgspec.Raw(bytes(raw)))


def _unsealed(part: Part) -> Part:
    if not isinstance(part, Thinking):
        return part
    if part.redacted:
        redacted, dialect, identity = unseal(part.redacted)
        return Thinking(redacted=redacted, id=identity, dialect=dialect)
    signature, dialect, identity = unseal(part.signature)
    return Thinking(text=part.text, signature=signature, id=identity, dialect=dialect)


_text = msgspec.json.Decoder(_Text)
_image = msgspec.json.Decoder(_Image)
_document = msgspec.json.Decoder(_Document)
_thinking = msgspec.json.Decoder(_Thinking)
_redacted = msgspec.json.Decoder(_Redacted)
_tool_use = msgspec.json.Decoder(_ToolUse)
_tool_result = msgspec.json.Decoder(_ToolResult)


def _read_text(raw: msgspec.Raw, at: str) -> Text:
    wire = _decode(_text, raw, at)
    citations = tuple(read_citation(citation) for citation in wire.citations) if wire.citations else ()
    return Text(wire.text, mark_of(wire.cache_control), citations)


def _read_image(raw: msgspec.Raw, at: str) -> Image:
    wire = _decode(_image, raw, at)
    return Image(_read_source(wire.source, f"{at}.source"), cache=mark_of(wire.cache_control))


def _read_document(raw: msgspec.Raw, at: str) -> Document | Opaque:
    wire = _decode(_document, raw, at)
    cites = wire.citations is not None and bool(wire.citations.enabled)
    text = _text_of(wire.source, cites=cites, at=f"{at}.source.content")
    if text is None:
        return _opaque("document", raw)
    source = Source() if wire.source.type in ("text", "content") else _read_source(wire.source, f"{at}.source")
    return Document(
        source=source,
        text=text,
        title=wire.title or "",
        context=wire.context or "",
        citations=cites,
        cache=mark_of(wire.cache_control),
    )


def _text_of(source: _Source, *, cites: bool, at: str) -> str | None:
    """Return the words of a document given in words, none of any other; None for blocks that have to stay blocks."""
    if source.type == "text":
        return source.data
    if source.type != "content":
        return ""
    if isinstance(source.content, str):
        return source.content
    parts = read_blocks(source.content, at)
    texts = [part.text for part in parts if isinstance(part, Text)]
    return None if cites or len(texts) < len(parts) else "\n\n".join(texts)


def _read_source(source: _Source, at: str) -> Source:
    given = {"base64": source.data, "url": source.url, "file": source.file_id}.get(source.type)
    if given:
        return Source(data=source.data, url=source.url, file_id=source.file_id, media_type=source.media_type)
    message = f"{at}: a source of type {source.type!r} needs its data, url or file_id"
    raise InvalidRequest(message, code="invalid_value", param=at)


def _read_thinking(raw: msgspec.Raw, at: str) -> Thinking:
    wire = _decode(_thinking, raw, at)
    return Thinking(text=wire.thinking, signature=wire.signature or "")


def _read_redacted(raw: msgspec.Raw, at: str) -> Thinking:
    return Thinking(redacted=_decode(_redacted, raw, at).data)


def _read_tool_use(raw: msgspec.Raw, at: str) -> ToolCall:
    wire = _decode(_tool_use, raw, at)
    return ToolCall(wire.id, wire.name, bytes(wire.input).decode(), cache=mark_of(wire.cache_control))


def _read_tool_result(raw: msgspec.Raw, at: str) -> ToolResult:
    wire = _decode(_tool_result, raw, at)
    parts = read_blocks(wire.content, f"{at}.content")
    kept = tuple(part for part in parts if isinstance(part, Text | Image | Document | Opaque))
    if len(kept) < len(parts):
        message = f"{at}.content: a tool result holds text, images and documents"
        raise InvalidRequest(message, code="invalid_tool_result", param=f"{at}.content")
    return ToolResult(wire.tool_use_id, kept, failed=bool(wire.is_error), cache=mark_of(wire.cache_control))


_READERS: dict[str, Callable[[msgspec.Raw, str], Any]] = {
    "text": _read_text,
    "image": _read_image,
    "document": _read_document,
    "thinking": _read_thinking,
    "redacted_thinking": _read_redacted,
    "tool_use": _read_tool_use,
    "tool_result": _read_tool_result,
}
