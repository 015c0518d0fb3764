"""A conversation with a model, in the one form that every dialect translates to and from.

A request, an answer, and the events of a streamed answer. Names follow what the field calls things; where vendors
differ, the richer form is kept. What only one dialect knows stays in it as raw JSON (`extras`, `Opaque`, `HostedTool`)
and comes back out only there; another dialect reports it as something it can't express.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Dialect, Usage

Role = Literal["system", "developer", "user", "assistant", "tool"]
CacheMark = Literal["", "5m", "1h"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


class Finish(StrEnum):
    """Why a choice ended."""

    STOP = "stop"
    STOP_SEQUENCE = "stop_sequence"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    PAUSE = "pause"  # the provider wants the same conversation again, to go on
    CONTEXT = "context"  # the model's context window is full
    ERROR = "error"  # the model produced something that is none of these (a malformed tool call)


class Source(msgspec.Struct, frozen=True):
    """Where a picture, document or sound is: inline in base64, at a URL, or a file the vendor keeps under an id."""

    data: str = ""
    url: str = ""
    file_id: str = ""
    media_type: str = ""


class Citation(msgspec.Struct, frozen=True):
    """What a text rests on. `start` and `end` count in the unit of the kind; None where the vendor doesn't say.

    `raw` is the citation as its own dialect wrote it, so that it can be written there again without loss.
    """

    kind: Literal["url", "characters", "pages", "blocks", "search"]
    dialect: Dialect
    raw: msgspec.Raw
    text: str = ""
    title: str = ""
    url: str = ""
    source_index: int | None = None
    start: int | None = None
    end: int | None = None


class Text(msgspec.Struct, frozen=True):
    """Words."""

    text: str
    cache: CacheMark = ""
    citations: tuple[Citation, ...] = ()


class Image(msgspec.Struct, frozen=True):
    """A picture. `detail` is how closely the model shall look: low, high, auto; empty where nobody says."""

    source: Source
    detail: str = ""
    cache: CacheMark = ""


class Document(msgspec.Struct, frozen=True):
    """A file to read: a PDF, or a text given as such in `text`."""

    source: Source = Source()
    text: str = ""
    title: str = ""
    context: str = ""
    citations: bool = False
    cache: CacheMark = ""


class Audio(msgspec.Struct, frozen=True):
    """A sound to listen to; `format` is wav, mp3, …"""

    source: Source
    format: str = ""


class Video(msgspec.Struct, frozen=True):
    """A film to look at."""

    source: Source


class Thinking(msgspec.Struct, frozen=True):
    """What the model thought. `signature` and `redacted` are opaque to all but the vendor named by `dialect`.

    `redacted` is the whole of a block whose text the vendor keeps to itself. `id` is the vendor's name of the block,
    where it has one. A block signed by another vendor is left out of a request; only its own vendor can check it.
    """

    text: str = ""
    signature: str = ""
    redacted: str = ""
    id: str = ""
    dialect: Dialect | None = None


class ToolCall(msgspec.Struct, frozen=True):
    """What the model wants done. `arguments` is a JSON text. `signature` is opaque, from the vendor of `dialect`."""

    id: str
    name: str
    arguments: str
    signature: str = ""
    dialect: Dialect | None = None
    cache: CacheMark = ""


class ToolResult(msgspec.Struct, frozen=True):
    """What came of a tool call. `name` is the tool's where the dialect repeats it, else empty."""

    call_id: str
    parts: tuple["Text | Image | Document | Opaque", ...]
    name: str = ""
    failed: bool = False
    cache: CacheMark = ""


class Refusal(msgspec.Struct, frozen=True):
    """The model's words where it declines."""

    text: str


class Opaque(msgspec.Struct, frozen=True):
    """A part that only one dialect has, such as a search that the vendor ran itself."""

    dialect: Dialect
    kind: str
    raw: msgspec.Raw


Part: TypeAlias = Text | Image | Document | Audio | Video | Thinking | ToolCall | ToolResult | Refusal | Opaque


class Message(msgspec.Struct, frozen=True):
    """One turn. Messages of the role `tool` hold ToolResult parts only, and no other message holds any."""

    role: Role
    parts: tuple[Part, ...]
    name: str = ""


class Tool(msgspec.Struct, frozen=True):
    """A function the model may call; `parameters` is a JSON Schema, None where it takes nothing."""

    name: str
    description: str = ""
    parameters: msgspec.Raw | None = None
    strict: bool | None = None
    cache: CacheMark = ""


class HostedTool(msgspec.Struct, frozen=True):
    """A tool that the vendor runs itself, as its dialect writes it."""

    dialect: Dialect
    kind: str
    raw: msgspec.Raw


class ToolChoice(msgspec.Struct, frozen=True):
    """Whether tools are to be called: as the model likes, never, at least one, or one of `names`."""

    mode: Literal["auto", "none", "required", "named"]
    names: tuple[str, ...] = ()


class OutputFormat(msgspec.Struct, frozen=True):
    """The form that the answer has to have."""

    kind: Literal["text", "json_object", "json_schema"]
    name: str = ""
    description: str = ""
    schema: msgspec.Raw | None = None
    strict: bool | None = None


class Reasoning(msgspec.Struct, frozen=True):
    """How much the model shall think, by effort or in tokens, and whether it shows it.

    `budget_tokens` 0 turns it off. `adaptive` leaves the amount to the model. `summary` is the vendor's word for how
    much is shown (auto, concise, detailed, none); empty where nobody says.
    """

    effort: Effort | None = None
    budget_tokens: int | None = None
    adaptive: bool = False
    summary: str = ""


class Request(msgspec.Struct, frozen=True):
    """What a client asks a model. System and developer messages stand among the messages, where they were said.

    `dialect` is the one it came in, whose `extras` are the fields that have no place here, by name.
    """

    model: str
    messages: tuple[Message, ...]
    dialect: Dialect
    stream: bool = False
    max_output_tokens: int | None = None
    tools: tuple[Tool | HostedTool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    output_format: OutputFormat | None = None
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning: Reasoning | None = None
    user: str = ""
    metadata: Mapping[str, str] | None = None
    extras: Mapping[str, msgspec.Raw] = {}


class Choice(msgspec.Struct, frozen=True):
    """One of the answers to a request. `logprobs` is OpenAI's list of tokens (`content`), as raw JSON."""

    parts: tuple[Part, ...]
    finish: Finish
    index: int = 0
    stop_sequence: str = ""
    logprobs: msgspec.Raw | None = None


class Answer(msgspec.Struct, frozen=True):
    """What a provider answered. `usage` is None where it reports none; `id` and `model` are empty where it has none."""

    choices: tuple[Choice, ...]
    id: str = ""
    model: str = ""
    usage: Usage | None = None
    service_tier: str = ""


# The events of a streamed answer. A decoder gives them in this order: Started; for each part its deltas, PartEnded;
# Finished for each choice; UsageReport, perhaps more than once, the last one counts; Ended. Parts are numbered from 0
# in the order of their first delta within a choice; the kind of a part is that of its first event.


class Started(msgspec.Struct, frozen=True):
    """The answer begins; what the provider already knows of its usage comes as a UsageReport."""

    id: str = ""
    model: str = ""


class TextDelta(msgspec.Struct, frozen=True):
    """More words of a part."""

    text: str
    part: int = 0
    choice: int = 0
    logprobs: msgspec.Raw | None = None


class RefusalDelta(msgspec.Struct, frozen=True):
    """More words of a refusal."""

    text: str
    part: int = 0
    choice: int = 0


class ThinkingDelta(msgspec.Struct, frozen=True):
    """More of a thinking part: text, or at its end the signature; `redacted` comes whole."""

    part: int = 0
    choice: int = 0
    text: str = ""
    signature: str = ""
    redacted: str = ""
    id: str = ""
    dialect: Dialect | None = None


class ToolStarted(msgspec.Struct, frozen=True):
    """A tool call begins; its arguments follow as ToolDelta."""

    id: str
    name: str
    part: int = 0
    choice: int = 0
    signature: str = ""
    dialect: Dialect | None = None


class ToolDelta(msgspec.Struct, frozen=True):
    """More of a tool call's JSON arguments, cut anywhere."""

    arguments: str
    part: int = 0
    choice: int = 0


class CitationAdded(msgspec.Struct, frozen=True):
    """A citation for the text of a part."""

    citation: Citation
    part: int = 0
    choice: int = 0


class PartAdded(msgspec.Struct, frozen=True):
    """A part that comes whole: a picture, or one that only its dialect knows."""

    value: Image | Audio | Opaque
    part: int = 0
    choice: int = 0


class PartEnded(msgspec.Struct, frozen=True):
    """Nothing more follows of a part. Dialects that don't mark it leave it out."""

    part: int = 0
    choice: int = 0


class Finished(msgspec.Struct, frozen=True):
    """A choice is at its end."""

    finish: Finish
    choice: int = 0
    stop_sequence: str = ""


class UsageReport(msgspec.Struct, frozen=True):
    """What the answer used so far, complete as far as the provider says; the last one stands."""

    usage: Usage


class Ended(msgspec.Struct, frozen=True):
    """The stream is whole; whatever follows belongs to nobody."""


class Failed(msgspec.Struct, frozen=True):
    """The provider reported an error in the stream, or sent something that is none; nothing follows."""

    error: UpstreamBroken


Event: TypeAlias = (
    Started
    | TextDelta
    | RefusalDelta
    | ThinkingDelta
    | ToolStarted
    | ToolDelta
    | CitationAdded
    | PartAdded
    | PartEnded
    | Finished
    | UsageReport
    | Ended
    | Failed
)
