"""The turns of a conversation, written as messages of a chat.

Servers differ in what they take beyond OpenAI's specification, so the plainest form is written: one text as a string,
several as one where a role's text was in pieces for another vendor's reasons. What a message has no place for moves:
pictures in a tool's answer stand in the user's message after it.
"""

from collections.abc import Iterator, Sequence

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect, Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import (
    Audio,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Refusal,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from providers.dialects.openai_chat.parts import Fields, write_mark
from providers.dialects.openai_chat.sources import require_base64, write_source
from providers.dialects.openai_chat.spelling import MISTRAL
from providers.dialects.openai_chat.thoughts import write_thoughts

_OWN = (None, Dialect.OPENAI)
_SHOWN = (Image, Document)
_WRITTEN_APART = (Thinking, ToolCall, Refusal, Opaque)  # a union made anew for each part would cost more than the test
_SAME_FILES = (Dialect.OPENAI, Dialect.RESPONSES)  # one vendor keeps the files of both


class History:
    """Writes the messages of one request for one upstream; `unsupported` and `ignored` tell what was left out."""

    def __init__(self, request: Request, upstream: Upstream) -> None:
        self._request = request
        self._is_own = request.dialect is Dialect.OPENAI
        self._has = upstream.capabilities.has
        self._is_strict = upstream.spelling == MISTRAL
        self._signs = self._has(Feature.SIGNED_THINKING) and not self._is_strict
        self._marks = self._has(Feature.CACHE_MARKS) and not self._is_strict
        self.unsupported: list[str] = []
        self.ignored: list[str] = []

    def write(self) -> list[Fields]:
        """Return the messages. Raises InvalidRequest for content that this dialect or the model can't take."""
        messages: list[Fields] = []
        for index, message in enumerate(self._request.messages):
            words = _words_of(message)
            if words:
                messages.append({"role": self._role_of(message), "content": words})
            else:
                messages += self._write_message(message, f"messages[{index}]")
        turns = self._request.messages
        if turns and turns[-1].role == "assistant" and not self._is_own and not self._has(Feature.PREFILL):
            self.unsupported.append(f"messages[{len(turns) - 1}]")
        return messages

    def _write_message(self, message: Message, path: str) -> Iterator[Fields]:
        if message.role == "tool":
            yield from self._write_results(message, path)
            return
        fields: Fields = {"role": self._role_of(message)}
        if message.name and not self._is_strict:
            fields["name"] = message.name
        if message.role == "assistant":
            self._write_assistant(fields, message.parts, path)
        else:
            fields["content"] = self._write_content(
                message.parts, path, glue=None if message.role == "user" else "\n\n"
            )
        yield fields

    def _role_of(self, message: Message) -> str:
        if message.role in ("system", "developer") and not self._has(Feature.SYSTEM):
            return "user"
        if message.role == "developer" and (self._is_strict or not self._is_own):
            return "system"  # only OpenAI's own models tell the two apart
        return message.role

    def _write_assistant(self, fields: Fields, parts: Sequence[Part], path: str) -> None:
        thoughts = [part for part in parts if isinstance(part, Thinking) and part.dialect in _OWN]
        calls = [part for part in parts if isinstance(part, ToolCall)]
        opaque = [part for part in parts if isinstance(part, Opaque)]
        refusals = [part.text for part in parts if isinstance(part, Refusal)]
        if self._is_strict:  # it has no field for a refusal: these are words like any others
            parts, refusals = [Text(part.text) if isinstance(part, Refusal) else part for part in parts], []
        said = [part for part in parts if not isinstance(part, _WRITTEN_APART)]
        raw_calls = [part for part in opaque if part.kind.endswith("_tool_call")]
        sounds = [part for part in opaque if part.kind == "audio"]
        pieces = [*said, *(part for part in opaque if part not in raw_calls and part not in sounds)]
        has_more = bool(calls or raw_calls or refusals or sounds)
        fields["content"] = self._write_content(pieces, path, glue="") if pieces or not has_more else None
        if refusals:
            fields["refusal"] = "".join(refusals)
        if not self._is_strict:
            own_calls = [call for call in calls if call.dialect in _OWN]
            fields.update(write_thoughts([*thoughts, *own_calls]))
        for sound in sounds:
            fields["audio"] = self._require_own(sound, path)
        if calls or raw_calls:
            raws = [self._require_own(call, path) for call in raw_calls]
            fields["tool_calls"] = [*(self._write_call(call) for call in calls), *raws]

    def _write_call(self, call: ToolCall) -> Fields:
        function = {"name": call.name, "arguments": call.arguments or "{}"}
        fields: Fields = {"id": call.id, "type": "function", "function": function}
        if call.signature and call.dialect is Dialect.GEMINI and self._signs:
            fields["extra_content"] = {"google": {"thought_signature": call.signature}}
        return fields

    def _write_results(self, message: Message, path: str) -> Iterator[Fields]:
        moved: list[Part] = []
        for index, result in enumerate(message.parts):
            assert isinstance(result, ToolResult)
            there = f"{path}.content[{index}]"
            shown = [] if self._is_own else [part for part in result.parts if isinstance(part, _SHOWN)]
            kept: list[Part] = [part for part in result.parts if part not in shown] if shown else list(result.parts)
            content = self._write_content(_with_failure(kept, result), there, glue="\n")
            fields: Fields = {"role": "tool", "tool_call_id": result.call_id, "content": content}
            if result.name:
                fields["name"] = result.name
            yield write_mark(fields, result.cache if self._marks else "")
            if shown:
                moved += [Text(f"The tool call {result.call_id} also returned:"), *shown]
        if moved:
            yield {"role": "user", "content": self._write_content(moved, path, glue=None)}

    def _write_content(self, parts: Sequence[Part], path: str, *, glue: str | None) -> str | list[Fields | msgspec.Raw]:
        """Return one string where that says it all; `glue` joins several texts of another dialect, None leaves them."""
        said = [(index, part) for index, part in enumerate(parts) if not isinstance(part, Text) or part.text]
        is_marked = any(getattr(part, "cache", "") for _, part in said)
        if is_marked and not self._marks:
            self._ignore("cache_control")
        texts = [part.text for _, part in said if isinstance(part, Text)]
        is_text = len(texts) == len(said) and not (is_marked and self._marks)
        if is_text and (len(texts) <= 1 or (glue is not None and not self._is_own)):
            return (glue or "").join(texts)
        return [self._write_part(part, f"{path}.content[{index}]") for index, part in said]

    def _ignore(self, name: str) -> None:
        if name not in self.ignored:
            self.ignored.append(name)

    def _write_part(self, part: Part, path: str) -> Fields | msgspec.Raw:
        match part:
            case Text():
                fields: Fields = {"type": "text", "text": part.text}
                return write_mark(fields, part.cache if self._marks else "")
            case Refusal():
                return {"type": "refusal", "refusal": part.text}
            case Opaque():
                return self._require_own(part, path)
            case Image() | Document() | Audio() | Video():
                return self._write_attachment(part, path)
        raise _unsupported(f"a {type(part).__name__} has no place in this message", path)

    def _write_attachment(self, part: Image | Document | Audio | Video, path: str) -> Fields:
        if part.source.data and not self._is_own:
            require_base64(part.source.data, path)
        match part:
            case Image():
                return self._write_image(part, path)
            case Document():
                return self._write_document(part, path)
            case Audio():
                return self._write_audio(part, path)
        self._require(Feature.VIDEO, "film", path)
        return {"type": "video_url", "video_url": {"url": write_source(part.source, media_type="video/mp4")}}

    def _write_image(self, image: Image, path: str) -> Fields:
        self._require(Feature.IMAGES, "picture", path)
        if image.source.url and not image.source.data:
            self._require(Feature.IMAGE_URLS, "picture at an address", path)
        if not image.source.url and not image.source.data:
            raise _unsupported("a picture that is kept under an id can't be sent to this provider", path)
        address = {"url": write_source(image.source, media_type="image/png")}
        if image.detail:
            address["detail"] = image.detail
        return write_mark({"type": "image_url", "image_url": address}, image.cache if self._marks else "")

    def _write_document(self, document: Document, path: str) -> Fields:
        if document.text:
            heading = [piece for piece in (document.title, document.context) if piece]
            text: Fields = {"type": "text", "text": "\n".join([*heading, document.text])}
            return write_mark(text, document.cache if self._marks else "")
        self._require(Feature.DOCUMENTS, "file", path)
        source = document.source
        file: dict[str, str] = {}
        if source.file_id:
            if self._request.dialect not in _SAME_FILES:
                raise _unsupported("a file that another provider keeps can't be sent to this one", path)
            file["file_id"] = source.file_id
        else:
            if source.url and not self._is_own:
                raise _unsupported("a file at an address can't be sent to this provider", path)
            file["file_data"] = write_source(source, media_type="application/pdf")
        if document.title or not source.file_id:
            file["filename"] = document.title or "document.pdf"
        return write_mark({"type": "file", "file": file}, document.cache if self._marks else "")

    def _write_audio(self, audio: Audio, path: str) -> Fields:
        self._require(Feature.AUDIO, "sound", path)
        if not audio.source.data:
            raise _unsupported("a sound has to be sent inline to this provider", path)
        kind = audio.format or audio.source.media_type.rpartition("/")[2].removeprefix("x-") or "wav"
        return {"type": "input_audio", "input_audio": {"data": audio.source.data, "format": kind}}

    def _require(self, feature: Feature, noun: str, path: str) -> None:
        if not self._has(feature):
            raise _unsupported(f"the model takes no {noun}", path)

    def _require_own(self, part: Opaque, path: str) -> msgspec.Raw:
        if part.dialect is not Dialect.OPENAI:
            raise _unsupported(f"a part of the kind {part.kind} can't be sent to this provider", path)
        return part.raw


def _words_of(message: Message) -> str:
    """Return the text of a message that says nothing else, as most are; empty for any other."""
    if len(message.parts) != 1 or message.name:
        return ""
    part = message.parts[0]
    return part.text if isinstance(part, Text) and not part.cache else ""


def _with_failure(parts: list[Part], result: ToolResult) -> list[Part]:
    """A failure has no field of its own in this dialect: the words have to say it."""
    first = next((part.text for part in parts if isinstance(part, Text)), "")
    if not result.failed or first.lower().startswith("error"):
        return parts
    return [Text("Error:"), *parts]


def _unsupported(message: str, path: str) -> InvalidRequest:
    return InvalidRequest(message, code="unsupported_content", param=path)
