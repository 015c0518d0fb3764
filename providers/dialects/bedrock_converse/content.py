"""Writing what was said: system blocks, and messages that alternate between user and assistant.

Bedrock refuses blank texts, two turns of one role in a row, and tool results apart from each other; so blank texts are
left out and neighbours of one role become one message (user guide on Converse, November 2026).
"""

import re
from hashlib import sha256
from typing import Any, TypeAlias

import msgspec

from providers.dialects.bedrock_converse.families import is_claude
from providers.dialects.bedrock_converse.losses import Losses, refuse
from providers.dialects.bedrock_converse.media import write_audio, write_document, write_image, write_video
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.conversation import (
    Audio,
    CacheMark,
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

Block: TypeAlias = dict[str, Any]
Blocks: TypeAlias = list[Any]  # blocks, and those of another's making as msgspec.Raw

_TOOL_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NO_RESULT = "(no output)"  # a result has to hold something
_FEATURES: dict[type, Feature] = {
    Image: Feature.IMAGES,
    Document: Feature.DOCUMENTS,
    Audio: Feature.AUDIO,
    Video: Feature.VIDEO,
    ToolCall: Feature.TOOLS,
    ToolResult: Feature.TOOLS,
}
_SHOWN_BY_USERS = (Image, Document, Audio, Video)

_arguments = msgspec.json.Decoder(dict[str, msgspec.Raw])


class ContentWriter:
    """Writes the messages of one request; it knows which tools were called and which names documents have."""

    def __init__(self, model: str, capabilities: Capabilities, losses: Losses) -> None:
        self._capabilities = capabilities
        self._losses = losses
        self._signers = {None, Dialect.CONVERSE, *([Dialect.ANTHROPIC] if is_claude(model) else [])}
        self._document_names: set[str] = set()
        self._called: dict[str, str] = {}  # call id -> tool

    @property
    def called_tools(self) -> list[str]:
        """Return the names of the tools that were called, each once."""
        return list(dict.fromkeys(self._called.values()))

    def write(self, request: Request) -> tuple[Blocks, list[Block]]:
        """Return the system blocks and the messages. Raises InvalidRequest for content that can't be said."""
        system: Blocks = []
        messages: list[Block] = []
        for at, message in enumerate(request.messages):
            blocks = self._write_parts(message, at)
            if message.name:
                self._losses.overlook(f"messages[{at}].name")
            if message.role not in ("system", "developer"):
                _append(messages, "assistant" if message.role == "assistant" else "user", blocks)
            elif self._capabilities.has(Feature.SYSTEM):
                system += blocks
            else:  # said by the user it is the nearest that such a model has
                self._losses.miss(f"messages[{at}].role")
                _append(messages, "user", blocks)
        if not messages and system:  # somebody has to speak
            _append(messages, "user", system)
            system = []
        self._check_last(messages, len(request.messages) - 1)
        return system, messages

    def _check_last(self, messages: list[Block], at: int) -> None:
        if not messages or messages[-1]["role"] != "assistant":
            return
        if not self._capabilities.has(Feature.PREFILL):
            raise refuse("the model does not go on with an answer that was begun", f"messages[{at}]")
        last = messages[-1]["content"][-1]
        if isinstance(last, dict) and "text" in last:
            last["text"] = last["text"].rstrip()  # Claude refuses a beginning that ends in a space

    def _write_parts(self, message: Message, at: int) -> Blocks:
        blocks: Blocks = []
        for number, part in enumerate(message.parts):
            param = f"messages[{at}].content[{number}]"
            self._check(part, message, param)
            written = self._write_part(part, param)
            if written is None:
                continue
            blocks.append(written)
            blocks += self.mark(getattr(part, "cache", ""))
        return blocks

    def _check(self, part: Part, message: Message, param: str) -> None:
        feature = _FEATURES.get(type(part))
        if feature is not None and not self._capabilities.has(feature):
            raise refuse(f"the model can't take {feature.value.replace('_', ' ')}", param)
        if isinstance(part, _SHOWN_BY_USERS) and message.role not in ("user", "tool"):
            raise refuse("the provider takes pictures, documents, sounds and films from users only", param)

    def _write_part(self, part: Part, param: str) -> Block | msgspec.Raw | None:
        match part:
            case Refusal():
                return _write_text(part.text)
            case ToolCall():
                return self._write_call(part, param)
            case ToolResult():
                return self._write_result(part, param)
            case Thinking():
                return self._write_thinking(part)
        return self._write_shown(part, param)

    def _write_shown(
        self, part: Text | Image | Document | Audio | Video | Opaque, param: str
    ) -> Block | msgspec.Raw | None:
        """Return the block of a part that may also stand in a tool's result."""
        match part:
            case Text():
                return _write_text(part.text)
            case Image():
                return write_image(part, param)
            case Document():
                return write_document(part, param, self._document_names)
            case Audio():
                return write_audio(part, param)
            case Video():
                return write_video(part, param)
        if part.dialect is Dialect.CONVERSE:
            return part.raw
        raise refuse(f"only {part.dialect.value} knows content of the kind '{part.kind}'", param)

    def _write_thinking(self, part: Thinking) -> Block | None:
        """Return a block that its vendor can check; thoughts without a signature are no model's to read again."""
        if part.dialect not in self._signers:
            return None
        if part.redacted:
            return {"reasoningContent": {"redactedContent": part.redacted}}
        if not part.signature:
            return None
        return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.signature}}}

    def _write_call(self, call: ToolCall, param: str) -> Block:
        self._called[call.id] = call.name
        arguments = call.arguments.strip() or "{}"
        try:
            _arguments.decode(arguments)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            message = f"the arguments of the call of '{call.name}' are no JSON object: {error}"
            raise refuse(message, param, code="invalid_tool_arguments") from error
        use = {"toolUseId": _tool_id(call.id), "name": call.name, "input": msgspec.Raw(arguments.encode())}
        return {"toolUse": use}

    def _write_result(self, result: ToolResult, param: str) -> Block:
        if result.call_id not in self._called:
            message = f"no tool call before it has the id '{result.call_id}'"
            raise refuse(message, param, code="invalid_tool_result")
        content = []
        for part in result.parts:
            feature = _FEATURES.get(type(part))
            if feature is not None and not self._capabilities.has(feature):
                raise refuse(f"the model can't take {feature.value}", param)
            content.append(self._write_shown(part, param))
        written: Block = {
            "toolUseId": _tool_id(result.call_id),
            "content": [block for block in content if block is not None] or [{"text": _NO_RESULT}],
        }
        if result.failed:
            written["status"] = "error"
        return {"toolResult": written}

    def mark(self, mark: CacheMark) -> Blocks:
        """Return the block that marks what stands before it for the cache, none for no mark."""
        if not mark:
            return []
        if not self._capabilities.has(Feature.CACHE_MARKS):
            self._losses.overlook("cache_control")
            return []
        point = {"type": "default"}
        if mark == "1h":
            point["ttl"] = mark
        return [{"cachePoint": point}]


def _write_text(text: str) -> Block | None:
    return {"text": text} if text.strip() else None


def _append(messages: list[Block], role: str, blocks: Blocks) -> None:
    if not blocks:
        return
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"] += blocks
    else:
        messages.append({"role": role, "content": list(blocks)})


def _tool_id(call_id: str) -> str:
    """Return an id that Bedrock takes, the same for a call and its result."""
    if _TOOL_ID.fullmatch(call_id):
        return call_id
    return "call_" + sha256(call_id.encode(errors="surrogatepass")).hexdigest()[:32]
