"""The turns of a request, read: Gemini's contents as the hub's messages."""

from itertools import groupby

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.conversation import Document, Image, Message, Part, Role, Text, ToolResult
from providers.dialects.gemini_generate import wire
from providers.dialects.gemini_generate.media import read_media
from providers.dialects.gemini_generate.parts import read_arguments, read_part

_OUTCOMES = ("output", "result", "error")  # where the text of a result stands (google-genai 3.4's FunctionResponse)


class _RawContent(msgspec.Struct):
    parts: list[msgspec.Raw] | None = None


class _RawBody(msgspec.Struct):
    contents: list[_RawContent]


_raw_body = msgspec.json.Decoder(_RawBody)


def read_messages(body: wire.Body, camel: bytes) -> tuple[Message, ...]:
    """Return the conversation, the system's words first; `camel` is the JSON that the body was decoded from.

    Calls without an id get one, and results without find the oldest unanswered call of their function.
    Raises InvalidRequest for arguments or a result that is no JSON object.
    """
    system = [Text(part.text) for part in _parts_of(body.system_instruction) if part.text]
    messages = [Message("system", tuple(system))] if system else []
    reader = _Reader(camel)
    for place, content in enumerate(body.contents or ()):
        messages += reader.read(place, content)
    return tuple(messages)


class _Reader:
    """Goes through the contents in order and remembers the calls that no result has answered."""

    def __init__(self, camel: bytes) -> None:
        self._camel = camel
        self._raws: list[_RawContent] | None = None
        self._open_calls: list[tuple[str, str]] = []
        self._made_ids = 0

    def read(self, place: int, content: wire.Content) -> list[Message]:
        """Return the messages of one content: results are a message of their own."""
        role: Role = "assistant" if content.role == "model" else "user"
        parts = content.parts or ()
        if len(parts) == 1 and parts[0].is_plain:  # the usual turn
            return [Message(role, (Text(parts[0].text or ""),))]
        said: list[Part] = []
        for index, part in enumerate(parts):
            said += self._read_part(part, place, index)
        grouped = groupby(said, lambda part: isinstance(part, ToolResult))
        return [Message("tool" if are_results else role, tuple(parts)) for are_results, parts in grouped]

    def _read_part(self, part: wire.Part, place: int, index: int) -> list[Part]:
        param = f"contents[{place}].parts[{index}]"
        if part.function_response is not None:
            return [self._read_result(part.function_response, f"{param}.functionResponse.response")]
        if part.function_call is not None:
            _require_object(part.function_call.args, f"{param}.functionCall.args")
            call_id = part.function_call.id or self._new_id()
            self._open_calls.append((part.function_call.name or "", call_id))
            return read_part(part, raw=lambda: wire.ABSENT, new_id=lambda: call_id)
        return read_part(part, raw=lambda: self._raw_part(place, index), new_id=self._new_id)

    def _read_result(self, result: wire.FunctionResponse, param: str) -> ToolResult:
        name = result.name or ""
        _require_object(result.response, param)
        text, failed = _read_outcome(result.response)
        pictures = [
            read_media(wire.Part(inline_data=part.inline_data, file_data=part.file_data)) for part in result.parts or ()
        ]
        return ToolResult(
            call_id=self._answered(name, result.id),
            parts=(Text(text), *(picture for picture in pictures if isinstance(picture, Image | Document))),
            name=name,
            failed=failed,
        )

    def _answered(self, name: str, call_id: str | None) -> str:
        """Return the id of the call that a result answers; the function's name where nothing called it."""
        for call in self._open_calls:
            if (call[1] == call_id) if call_id else (call[0] == name):
                self._open_calls.remove(call)
                return call[1]
        return call_id or name

    def _new_id(self) -> str:
        self._made_ids += 1
        return f"call_{self._made_ids}"

    def _raw_part(self, place: int, index: int) -> msgspec.Raw:
        if self._raws is None:
            self._raws = _raw_body.decode(self._camel).contents
        return (self._raws[place].parts or [])[index]


def _parts_of(content: wire.Content | None) -> list[wire.Part]:
    return (content.parts or []) if content is not None else []


def _require_object(raw: msgspec.Raw, param: str) -> None:
    if wire.is_given(raw) and read_arguments(bytes(raw).decode()) is None:
        raise InvalidRequest(f"Invalid type for '{param}': expected an object", code="invalid_type", param=param)


def _read_outcome(response: msgspec.Raw) -> tuple[str, bool]:
    """Return the text of what a function returned, and whether it failed."""
    if not wire.is_given(response):
        return "", False
    members = wire.OBJECT_DECODER.decode(response)
    name = next(iter(members), "")
    if len(members) != 1 or name not in _OUTCOMES:
        return bytes(response).decode(), False
    value = bytes(members[name])
    return (msgspec.json.decode(value, type=str) if value[:1] == b'"' else value.decode()), name == "error"
