"""The turns of a request, written: the hub's messages as Gemini's contents.

Turns of one role are one content, so that all results of a step answer all of its calls. Words of the system, wherever
they stood, are the system instruction: there is no other place.
"""

from collections.abc import Iterable

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
from providers.dialects.gemini_generate import wire
from providers.dialects.gemini_generate.media import write_media
from providers.dialects.gemini_generate.parts import read_arguments, write_call, write_thought
from providers.dialects.gemini_generate.reasoning import FIRST_WITH_LEVELS, generation_of
from providers.dialects.gemini_generate.signatures import STAND_IN
from providers.dialects.gemini_generate.wire import WirePart, WrittenContent

_SYSTEM = ("system", "developer")
_OUTCOMES = ("output", "result", "error")


def write_contents(request: Request, upstream: Upstream) -> tuple[list[WrittenContent], WrittenContent | None]:
    """Return the contents, and the system instruction where there is one.

    Raises InvalidRequest for what the model can't take, and for a result whose call is not in the history.
    """
    if request.messages and request.messages[-1].role == "assistant" and not upstream.capabilities.has(Feature.PREFILL):
        param = f"messages[{len(request.messages) - 1}]"
        raise InvalidRequest("the last message has to be the user's", code="unsupported_content", param=param)
    writer = _Writer(request, upstream)
    system = writer.write_system()
    contents = writer.write_turns()
    if system and (not contents or not upstream.capabilities.has(Feature.SYSTEM)):
        return [WrittenContent(system, "user"), *contents], None
    if not contents:
        contents = [WrittenContent([wire.Part(text="")], "user")]
    return contents, WrittenContent(system) if system else None


class _Writer:
    """Goes through the messages in order and remembers which function each call named."""

    def __init__(self, request: Request, upstream: Upstream) -> None:
        self._request = request
        self._capabilities = upstream.capabilities
        self._is_own = request.dialect is Dialect.GEMINI
        generation = generation_of(upstream.model) or FIRST_WITH_LEVELS
        self._needs_signatures = upstream.capabilities.has(Feature.SIGNED_THINKING) and generation >= FIRST_WITH_LEVELS
        self._nests_pictures = generation >= FIRST_WITH_LEVELS
        self._names: dict[str, str] = {}

    def write_system(self) -> list[WirePart]:
        """Return the parts of the system instruction."""
        parts: list[WirePart] = []
        for place, message in enumerate(self._request.messages):
            if message.role in _SYSTEM:
                parts += self._write_parts(message, place)
        return parts

    def write_turns(self) -> list[WrittenContent]:
        """Return the contents."""
        contents: list[WrittenContent] = []
        last = ""
        for place, message in enumerate(self._request.messages):
            if message.role in _SYSTEM:
                continue
            parts = self._write_parts(message, place)
            if not parts:
                continue
            if message.role == last:
                contents[-1].parts.extend(parts)
            else:
                contents.append(WrittenContent(parts, "model" if message.role == "assistant" else "user"))
            last = message.role
        if self._needs_signatures:
            for content in contents:
                _sign_first_call(content.parts)
        return contents

    def _write_parts(self, message: Message, place: int) -> list[WirePart]:
        return [
            written
            for index, part in enumerate(message.parts)
            for written in self._write_part(part, f"messages[{place}].content[{index}]")
        ]

    def _write_part(self, part: Part, param: str) -> Iterable[WirePart]:
        match part:
            case Text() | Refusal():
                return [wire.Part(text=part.text)] if part.text else []
            case Thinking():
                return _write_thinking(part)
            case ToolCall():
                return [self._write_call(part, param)]
            case ToolResult():
                return self._write_result(part, param)
            case Image() | Document() | Audio() | Video():
                return [write_media(part, self._capabilities, is_own=self._is_own, param=param)]
            case Opaque():
                return [_write_opaque(part, param)]

    def _write_call(self, call: ToolCall, param: str) -> wire.Part:
        self._names[call.id] = call.name
        arguments = read_arguments(call.arguments)
        if arguments is None:
            message = f"the arguments of the call {call.id} are no JSON object"
            raise InvalidRequest(message, code="invalid_value", param=param)
        if call.dialect not in (None, Dialect.GEMINI):
            call = msgspec.structs.replace(call, signature="", dialect=None)
        return write_call(call, arguments)

    def _write_result(self, result: ToolResult, param: str) -> list[WirePart]:
        name = self._names.get(result.call_id) or result.name
        if not name:
            message = f"no call of the conversation has the id {result.call_id}"
            raise InvalidRequest(message, code="invalid_tool_result", param=param)
        beside = [
            written
            for part in result.parts
            if not isinstance(part, Text)
            for written in self._write_part(part, param)
            if isinstance(written, wire.Part)
        ]
        text = "\n".join(part.text for part in result.parts if isinstance(part, Text) and part.text)
        response = wire.FunctionResponse(id=result.call_id, name=name, response=_outcome(text, failed=result.failed))
        if self._nests_pictures and beside:
            response.parts = [wire.ResponsePart(part.inline_data, part.file_data) for part in beside]
            beside = []
        return [wire.Part(function_response=response), *beside]


def _write_thinking(thought: Thinking) -> list[WirePart]:
    """Return a thought; without what only another vendor can check, and so nothing of one it signed."""
    if thought.dialect not in (None, Dialect.GEMINI):
        return []
    written = write_thought(thought)
    return [] if written is None else [written]


def _write_opaque(part: Opaque, param: str) -> msgspec.Raw:
    if part.dialect is not Dialect.GEMINI:
        message = f"the model has nothing like {part.kind}; only another vendor has"
        raise InvalidRequest(message, code="unsupported_content", param=param)
    return part.raw


def _sign_first_call(parts: list[WirePart]) -> None:
    """Put the stand-in on the first call of a turn where that has no signature: later ones need none."""
    for part in parts:
        if isinstance(part, wire.Part) and part.function_call is not None:
            part.thought_signature = part.thought_signature or STAND_IN
            return


def _outcome(text: str, *, failed: bool) -> msgspec.Raw:
    """Return what a function returned as a JSON object: its own where it is one, else under Google's names for it."""
    own = read_arguments(text) if text[:1] == "{" and text[-1] == "}" and not failed else None
    if own is not None and (
        len(members := wire.OBJECT_DECODER.decode(own)) != 1 or next(iter(members)) not in _OUTCOMES
    ):
        return own
    said = msgspec.json.encode(text) if own is None else bytes(own)
    return msgspec.Raw(b'{"%s":%s}' % (b"error" if failed else b"output", said))
