"""Items of a request to messages of the hub.

What the assistant said, thought and called in one go are items beside each other here and one message there; so are
the results of its calls. Items that only this dialect knows stay whole, as `Opaque`.
"""

from collections.abc import Callable, Iterable

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    Audio,
    CacheMark,
    Document,
    Image,
    Message,
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
from providers.dialects.openai_responses import wire
from providers.dialects.openai_responses.citations import read_citation
from providers.dialects.openai_responses.signatures import Carried, unwrap
from providers.dialects.openai_responses.wire import decode_at, refuse

_ROLES: dict[str, Role] = {"system": "system", "developer": "developer", "user": "user", "assistant": "assistant"}
_CLIENTS_ITEMS = ("_output", "_response", "additional_tools", "compaction", "configuration_update")


class History:
    """Grows item by item; `messages` is what has come of it."""

    def __init__(self) -> None:
        self._turns: list[tuple[Role, list[Part]]] = []
        self._signed: dict[str, Carried] = {}

    @property
    def messages(self) -> tuple[Message, ...]:
        """Return the messages so far."""
        return tuple(Message(role, tuple(parts)) for role, parts in self._turns)

    def say(self, role: Role, parts: Iterable[Part]) -> None:
        """Add parts to the turn that is under way, or begin another; users' and system's messages stay apart."""
        if role in ("assistant", "tool") and self._turns and self._turns[-1][0] == role:
            self._turns[-1][1].extend(parts)
        else:
            self._turns.append((role, list(parts)))

    def add(self, raw: msgspec.Raw, at: str) -> None:
        """Take in an item. Raises InvalidRequest that names the field."""
        kind = decode_at(wire.KIND, raw, at)
        if kind.type == "message" or (kind.type is None and kind.role is not None):
            self._add_message(raw, at)
        elif kind.type == "function_call":
            self._add_call(raw, at)
        elif kind.type == "function_call_output":
            self._add_result(raw, at)
        elif kind.type == "reasoning":
            self._add_reasoning(raw, at)
        elif kind.type == "compaction" and (summary := summary_of(raw)):
            self.say("user", [Text(summary)])
        elif kind.type in ("item_reference", None):
            raise refuse(f"The gateway keeps no item '{kind.id or ''}'.", param=at, code="item_not_found")
        else:
            said_by_client = kind.type.endswith(_CLIENTS_ITEMS)
            self.say("user" if said_by_client else "assistant", [Opaque(Dialect.RESPONSES, kind.type, raw)])

    def _add_message(self, raw: msgspec.Raw, at: str) -> None:
        item = decode_at(wire.MESSAGE, raw, at)
        role = _ROLES.get(item.role)
        if role is None:
            raise refuse(f"Invalid role '{item.role}': use user, assistant, system or developer", param=f"{at}.role")
        content = item.content or []
        parts = [Text(content)] if isinstance(content, str) else read_parts(content, f"{at}.content")
        self.say(role, parts)

    def _add_call(self, raw: msgspec.Raw, at: str) -> None:
        item = decode_at(wire.CALL, raw, at)
        signed = self._signed.pop(item.call_id, Carried())
        call = ToolCall(
            item.call_id, item.name, item.arguments or "{}", signature=signed.signature, dialect=signed.dialect
        )
        self.say("assistant", [call])

    def _add_result(self, raw: msgspec.Raw, at: str) -> None:
        item = decode_at(wire.RESULT, raw, at)
        output = item.output
        parts = [Text(output)] if isinstance(output, str) else read_parts(output, f"{at}.output")
        kept = tuple(part for part in parts if isinstance(part, Text | Image | Document | Opaque))
        if len(kept) < len(parts):
            raise refuse("A tool's result holds texts, images and files.", param=f"{at}.output")
        self.say("tool", [ToolResult(item.call_id, kept)])

    def _add_reasoning(self, raw: msgspec.Raw, at: str) -> None:
        item = decode_at(wire.REASONING, raw, at)
        carried = unwrap(item.encrypted_content or "")
        if carried is not None and carried.call_id:
            self._signed[carried.call_id] = carried
            return
        self.say("assistant", [read_reasoning(item)])


def summary_of(raw: msgspec.Raw) -> str:
    """Return the summary in a compaction item that this gateway wrote; empty for any other."""
    try:
        carried = unwrap(wire.COMPACTION.decode(raw).encrypted_content)
    except wire.BROKEN:
        return ""
    return "" if carried is None else carried.summary


def read_reasoning(item: wire.ReasoningItem) -> Thinking:
    """Return a reasoning item as the hub has it, with another vendor's signature where it carries one."""
    carried = unwrap(item.encrypted_content or "")
    if carried is None:
        own = Dialect.RESPONSES
        return Thinking(item.text, signature=item.encrypted_content or "", id=item.id or "", dialect=own)
    return Thinking(item.text, signature=carried.signature, redacted=carried.redacted, dialect=carried.dialect)


def read_parts(raws: list[msgspec.Raw], at: str) -> list[Part]:
    """Return the parts of a message or a result. Raises InvalidRequest that names the field."""
    return [_read_part(raw, f"{at}[{index}]") for index, raw in enumerate(raws)]


def _read_part(raw: msgspec.Raw, at: str) -> Part:
    kind = decode_at(wire.KIND, raw, at).type or ""
    reader = _PARTS.get(kind)
    return Opaque(Dialect.RESPONSES, kind, raw) if reader is None else reader(raw, at)


def _read_text(raw: msgspec.Raw, at: str) -> Text:
    part = decode_at(wire.TEXT, raw, at)
    citations = tuple(read_citation(annotation) for annotation in part.annotations or ())
    return Text(part.text, cache=_mark_of(part.prompt_cache_breakpoint), citations=citations)


def _read_image(raw: msgspec.Raw, at: str) -> Image:
    part = decode_at(wire.IMAGE, raw, at)
    source = _source_of(part.image_url, part.file_id)
    if source is None:
        raise refuse("An image needs image_url or file_id.", param=at)
    return Image(source, detail=part.detail or "", cache=_mark_of(part.prompt_cache_breakpoint))


def _read_file(raw: msgspec.Raw, at: str) -> Document:
    part = decode_at(wire.FILE, raw, at)
    source = _source_of(part.file_data or part.file_url, part.file_id)
    if source is None:
        raise refuse("A file needs file_data, file_url or file_id.", param=at)
    if part.file_data and not source.data:  # bare base64, without the data URL around it
        source = Source(data=part.file_data, media_type="application/pdf")
    return Document(source, title=part.filename or "", cache=_mark_of(part.prompt_cache_breakpoint))


def _read_audio(raw: msgspec.Raw, at: str) -> Audio:
    sound = decode_at(wire.AUDIO, raw, at).input_audio
    return Audio(Source(data=sound.data), format=sound.format)


def _read_refusal(raw: msgspec.Raw, at: str) -> Refusal:
    return Refusal(decode_at(wire.REFUSAL, raw, at).refusal)


_PARTS: dict[str, Callable[[msgspec.Raw, str], Part]] = {
    "input_text": _read_text,
    "output_text": _read_text,
    "input_image": _read_image,
    "input_file": _read_file,
    "input_audio": _read_audio,
    "refusal": _read_refusal,
}


def _source_of(address: str | None, file_id: str | None) -> Source | None:
    if address and address.startswith("data:"):
        head, _, data = address.removeprefix("data:").partition(",")
        return Source(data=data, media_type=head.partition(";")[0])
    if address:
        return Source(url=address)
    return Source(file_id=file_id) if file_id else None


def _mark_of(mark: wire.Breakpoint | None) -> CacheMark:
    """Return the hub's mark; of its two lengths the dialect's longer one, 12h, becomes the longer."""
    if mark is None:
        return ""
    return "1h" if mark.ttl == "12h" else "5m"
