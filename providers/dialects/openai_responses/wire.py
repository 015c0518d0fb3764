"""The items and parts of the Responses API as they stand in requests and answers (openai-python 3.52, `responses`).

An item or part is looked at twice: its `type` first, then its fields by the struct of that type, so that one this
gateway doesn't know stays whole as raw JSON.
"""

from typing import Any, TypeVar

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.complaints import explain

T = TypeVar("T")


class Kind(msgspec.Struct, gc=False):
    """What tells items and parts apart; messages may leave their type out, references too."""

    type: str | None = None
    role: str | None = None
    id: str | None = None


class Breakpoint(msgspec.Struct):
    """The mark after which a prompt may be cached."""

    mode: str | None = None
    ttl: str | None = None


class InputText(msgspec.Struct):
    """`input_text` and `output_text`."""

    text: str
    annotations: list[msgspec.Raw] | None = None
    logprobs: list[msgspec.Raw] | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class InputImage(msgspec.Struct):
    """`input_image`: at an address, inline as a data URL, or a file the vendor keeps."""

    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class InputFile(msgspec.Struct):
    """`input_file`: inline as a data URL, at an address, or a file the vendor keeps."""

    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class Sound(msgspec.Struct):
    """The inside of `input_audio`."""

    data: str
    format: str = ""


class InputAudio(msgspec.Struct):
    """`input_audio`."""

    input_audio: Sound


class RefusalPart(msgspec.Struct):
    """`refusal`."""

    refusal: str


class MessageItem(msgspec.Struct):
    """`message`: what somebody said, as a text or as parts."""

    role: str
    content: str | list[msgspec.Raw] | None = None


class AnsweredMessage(msgspec.Struct):
    """`message` in an answer, where nobody but the assistant speaks."""

    content: str | list[msgspec.Raw] | None = None


class CallItem(msgspec.Struct):
    """`function_call`."""

    call_id: str
    name: str
    arguments: str = ""


class ResultItem(msgspec.Struct):
    """`function_call_output`."""

    call_id: str
    output: str | list[msgspec.Raw]


class Words(msgspec.Struct):
    """`summary_text` and `reasoning_text`."""

    text: str = ""


class ReasoningItem(msgspec.Struct):
    """`reasoning`."""

    id: str | None = None
    summary: list[Words] | None = None
    content: list[Words] | None = None
    encrypted_content: str | None = None

    @property
    def text(self) -> str:
        """Return the thought: what is shown of it, or the whole where the provider sends that."""
        return "\n\n".join(words.text for words in self.summary or self.content or ())


class CompactionItem(msgspec.Struct):
    """`compaction`: what a long conversation was made into."""

    encrypted_content: str = ""


class Annotation(msgspec.Struct):
    """A citation in an `output_text`; which fields it has depends on its type."""

    type: str = ""
    url: str = ""
    title: str = ""
    filename: str = ""
    start_index: int | None = None
    end_index: int | None = None


# What decoding raw JSON can raise: it was skipped over before, so that nobody has looked at its inside yet.
BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

KIND = msgspec.json.Decoder(Kind)
OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
TEXT = msgspec.json.Decoder(InputText)
IMAGE = msgspec.json.Decoder(InputImage)
FILE = msgspec.json.Decoder(InputFile)
AUDIO = msgspec.json.Decoder(InputAudio)
REFUSAL = msgspec.json.Decoder(RefusalPart)
MESSAGE = msgspec.json.Decoder(MessageItem)
ANSWERED = msgspec.json.Decoder(AnsweredMessage)
CALL = msgspec.json.Decoder(CallItem)
RESULT = msgspec.json.Decoder(ResultItem)
REASONING = msgspec.json.Decoder(ReasoningItem)
COMPACTION = msgspec.json.Decoder(CompactionItem)
ANNOTATION = msgspec.json.Decoder(Annotation)


def decode_at(decoder: "msgspec.json.Decoder[T]", raw: msgspec.Raw, at: str) -> T:
    """Return a decoded piece of a request. Raises InvalidRequest that names the field by its whole path."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise explain(_moved(error, at)) from error
    except BROKEN as error:
        raise refuse(f"We could not parse {at}: {error}", param=at, code="invalid_json") from error


def raw_of(value: Any) -> msgspec.Raw:
    """Return a value as raw JSON."""
    return msgspec.Raw(msgspec.json.encode(value))


def _moved(error: msgspec.ValidationError, at: str) -> msgspec.ValidationError:
    complaint = str(error)
    if " - at `$" in complaint:
        return msgspec.ValidationError(complaint.replace(" - at `$", f" - at `$.{at}", 1))
    return msgspec.ValidationError(f"{complaint} - at `$.{at}`")


def refuse(message: str, *, param: str, code: str = "invalid_value") -> InvalidRequest:
    """Return the error for a field whose value nobody could serve."""
    return InvalidRequest(message, code=code, param=param)
