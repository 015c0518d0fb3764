"""What stands in Gemini's JSON, as far as it is understood (google-genai 3.4's types, November 2026).

The same content, part and tool structs serve requests and answers, reading and writing. Names are proto JSON's
camelCase; `casing` brings the other spelling to it first. A null counts as absent, as proto JSON has it.
"""

from typing import Any, TypeAlias

import msgspec

ABSENT = msgspec.Raw(b"")


class Blob(msgspec.Struct, rename="camel", omit_defaults=True):
    """Inline bytes in base64."""

    mime_type: str | None = None
    data: str | None = None


class File(msgspec.Struct, rename="camel", omit_defaults=True):
    """Bytes at an address: Google's own stores, or any web page."""

    mime_type: str | None = None
    file_uri: str | None = None


class FunctionCall(msgspec.Struct, rename="camel", omit_defaults=True):
    """A call of a declared function; `args` is a JSON object."""

    id: str | None = None
    name: str | None = None
    args: msgspec.Raw = ABSENT


class ResponsePart(msgspec.Struct, rename="camel", omit_defaults=True):
    """A picture or file among what a function returned."""

    inline_data: Blob | None = None
    file_data: File | None = None


class FunctionResponse(msgspec.Struct, rename="camel", omit_defaults=True):
    """What a function returned; `response` is a JSON object."""

    id: str | None = None
    name: str | None = None
    response: msgspec.Raw = ABSENT
    parts: list[ResponsePart] | None = None


class Part(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """One part of a content; exactly one of its kinds is set, or one that isn't listed here."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: File | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    video_metadata: msgspec.Raw = ABSENT

    @property
    def is_plain(self) -> bool:
        """Tell whether the part is a text and nothing else, as most are."""
        if not self.text or self.thought or self.thought_signature is not None or self.video_metadata is not ABSENT:
            return False
        return (self.inline_data or self.file_data or self.function_call or self.function_response) is None

    @property
    def is_known(self) -> bool:
        """Tell whether the part is of a kind that has a place in the conversation hub."""
        if self.video_metadata is not ABSENT:
            return False
        inner = self.inline_data or self.file_data or self.function_call or self.function_response
        return inner is not None or self.text is not None or self.thought_signature is not None


class Content(msgspec.Struct, rename="camel", omit_defaults=True):
    """One turn."""

    role: str | None = None
    parts: list[Part] | None = None


WirePart: TypeAlias = Part | msgspec.Raw


class WrittenContent(msgspec.Struct, rename="camel", omit_defaults=True):
    """One turn to be written, some of whose parts are kept as they came."""

    parts: list[WirePart]
    role: str = ""


class Thinking(msgspec.Struct, rename="camel", omit_defaults=True):
    """How much to think: tokens (-1 leaves it to the model), or since Gemini 3 a level."""

    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None


class Config(msgspec.Struct, rename="camel", omit_defaults=True):
    """`generationConfig`, but for what only this dialect has."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    candidate_count: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    response_mime_type: str | None = None
    response_schema: msgspec.Raw = ABSENT
    response_json_schema: msgspec.Raw = ABSENT
    thinking_config: Thinking | None = None


class Declaration(msgspec.Struct, rename="camel", omit_defaults=True):
    """A function that may be called; its parameters as Google's own schema or as a JSON Schema."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw = ABSENT
    parameters_json_schema: msgspec.Raw = ABSENT


class CallingConfig(msgspec.Struct, rename="camel", omit_defaults=True):
    """Whether functions are to be called, and which."""

    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(msgspec.Struct, rename="camel", omit_defaults=True):
    """`toolConfig`, as far as it is about functions."""

    function_calling_config: CallingConfig | None = None


class Body(msgspec.Struct, rename="camel"):
    """A generateContent request; a tool is an object with one member for each kind."""

    contents: list[Content] | None = None
    system_instruction: Content | None = None
    generation_config: Config | None = None
    tools: list[dict[str, msgspec.Raw]] | None = None
    tool_config: ToolConfig | None = None
    cached_content: str | None = None
    model: str | None = None
    max_cost_usd: Any = msgspec.field(name="max_cost_usd", default=None)


def is_given(raw: msgspec.Raw) -> bool:
    """Tell whether a member stands in the JSON and is not null."""
    return raw is not ABSENT and bytes(raw) not in (b"", b"null")


BODY_DECODER = msgspec.json.Decoder(Body)
DECLARATIONS_DECODER = msgspec.json.Decoder(list[Declaration])
OBJECT_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])
LIST_DECODER = msgspec.json.Decoder(list[msgspec.Raw])
PART_DECODER = msgspec.json.Decoder(Part)
