"""Reading a whole answer of Converse (botocore 1.44's ConverseResponse)."""

from typing import Any

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.bedrock_converse.citations import read_citation
from providers.dialects.bedrock_converse.finishes import read_finish
from providers.dialects.bedrock_converse.usage import WireUsage, read_usage
from providers.dialects.canonical import Dialect
from providers.dialects.conversation import (
    Answer,
    Choice,
    Image,
    Opaque,
    Part,
    Source,
    Text,
    Thinking,
    ToolCall,
)


class _ReasoningText(msgspec.Struct):
    text: str = ""
    signature: str = ""


class _Reasoning(msgspec.Struct):
    reasoningText: _ReasoningText | None = None  # noqa: N815 - the wire's own names, here and below
    redactedContent: str = ""  # noqa: N815


class _ToolUse(msgspec.Struct):
    toolUseId: str  # noqa: N815
    name: str
    input: msgspec.Raw = msgspec.Raw(b"{}")
    type: str = ""


class _Text(msgspec.Struct):
    text: str = ""


class _Cited(msgspec.Struct):
    content: list[_Text] = []
    citations: list[msgspec.Raw] = []


class _Bytes(msgspec.Struct, frozen=True):
    base64: str = msgspec.field(name="bytes", default="")


class _Image(msgspec.Struct):
    format: str = "png"
    source: _Bytes = _Bytes()


class _Block(msgspec.Struct):
    text: str | None = None
    reasoningContent: _Reasoning | None = None  # noqa: N815
    toolUse: _ToolUse | None = None  # noqa: N815
    citationsContent: _Cited | None = None  # noqa: N815
    image: _Image | None = None


class _Message(msgspec.Struct):
    content: list[msgspec.Raw] = []


class _Output(msgspec.Struct):
    message: _Message | None = None


class _Tier(msgspec.Struct):
    type: str = ""


class _Body(msgspec.Struct):
    output: _Output
    stopReason: str = ""  # noqa: N815
    usage: WireUsage | None = None
    serviceTier: _Tier | None = None  # noqa: N815
    additionalModelResponseFields: Any = None  # noqa: N815


_body = msgspec.json.Decoder(_Body)
_block = msgspec.json.Decoder(_Block)
_names = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_answer(body: bytes) -> Answer:
    """Return a whole answer. Raises UpstreamBroken where the bytes are none."""
    try:
        wire = _body.decode(body)
        content = wire.output.message.content if wire.output.message is not None else []
        parts = tuple(_read_block(raw) for raw in content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken(f"the provider's answer is none: {error}") from error
    choice = Choice(
        parts=parts,
        finish=read_finish(wire.stopReason),
        stop_sequence=read_stop_sequence(wire.additionalModelResponseFields),
    )
    tier = wire.serviceTier.type if wire.serviceTier is not None else ""
    return Answer(choices=(choice,), usage=read_usage(wire.usage), service_tier=tier)


def read_stop_sequence(fields: Any) -> str:
    """Return the sequence that ended an answer, which a model's own fields tell where they were asked for."""
    found = fields.get("stop_sequence") if isinstance(fields, dict) else None
    return found if isinstance(found, str) else ""


def _read_block(raw: msgspec.Raw) -> Part:
    block = _block.decode(raw)
    if block.text is not None:
        return Text(block.text)
    if block.reasoningContent is not None:
        return _read_reasoning(block.reasoningContent)
    if block.toolUse is not None and not block.toolUse.type:  # one with a type ran on the vendor's side
        use = block.toolUse
        return ToolCall(use.toolUseId, use.name, bytes(use.input).decode())
    if block.citationsContent is not None:
        return _read_cited(block.citationsContent)
    if block.image is not None and block.image.source.base64:
        return Image(Source(data=block.image.source.base64, media_type=f"image/{block.image.format}"))
    kind = next(iter(_names.decode(raw)), "")
    return Opaque(Dialect.CONVERSE, kind, msgspec.Raw(bytes(raw)))


def _read_reasoning(wire: _Reasoning) -> Thinking:
    text = wire.reasoningText or _ReasoningText()
    return Thinking(text=text.text, signature=text.signature, redacted=wire.redactedContent, dialect=Dialect.CONVERSE)


def _read_cited(wire: _Cited) -> Text:
    citations = (read_citation(raw) for raw in wire.citations)
    return Text(
        "".join(part.text for part in wire.content),
        citations=tuple(citation for citation in citations if citation is not None),
    )
