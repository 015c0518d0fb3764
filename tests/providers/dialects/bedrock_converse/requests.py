"""Any request that Converse can take, for properties; and how to write one."""

from base64 import b64encode
from typing import Any

import msgspec
from hypothesis import strategies as st

from providers.dialects.bedrock_converse.request import encode_request
from providers.dialects.canonical import Capabilities, Dialect, Feature
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.conversation import (
    Audio,
    Document,
    Image,
    Message,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Request,
    Source,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Video,
)

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NEW_CLAUDE = "global.anthropic.claude-sonnet-5-5"
NOVA = "us.amazon.nova-2-lite-v1:0"
LLAMA = "meta.llama4-scout-17b-instruct-v1:0"
MODELS = (CLAUDE, NEW_CLAUDE, NOVA, LLAMA, "openai.gpt-oss-120b-1:0")

PNG = b64encode(b"\x89PNG\r\n\x1a\n").decode()
PICTURE = Image(Source(data=PNG, media_type="image/png"))


def without(*features: Feature) -> Capabilities:
    """Return the capabilities of a model that lacks these."""
    return Capabilities(features=frozenset(Feature) - set(features))


def encode(
    *messages: Message,
    model: str = CLAUDE,
    capabilities: Capabilities | None = None,
    cap: int | None = None,
    dialect: Dialect = Dialect.OPENAI,
    **fields: Any,
) -> Encoded:
    """Return a request as it is written, of a user's greeting where no messages are given."""
    request = Request("route", messages or (user(Text("hello")),), dialect, **fields)
    return encode_request(request, Upstream(model, capabilities or Capabilities(), cap=cap))


def body_of(encoded: Encoded) -> dict[str, Any]:
    """Return the body, decoded."""
    body: dict[str, Any] = msgspec.json.decode(encoded.body)
    return body


def write(*messages: Message, **fields: Any) -> dict[str, Any]:
    """Return the body of a request of which nothing is lost."""
    encoded = encode(*messages, **fields)
    assert (encoded.unsupported, encoded.ignored) == ((), ())
    return body_of(encoded)


def user(*parts: Part) -> Message:
    """Return what a user says."""
    return Message("user", parts)


def assistant(*parts: Part) -> Message:
    """Return what the model said."""
    return Message("assistant", parts)


def tool(*results: ToolResult) -> Message:
    """Return what came of tool calls."""
    return Message("tool", results)


_NAMES = st.text("abcdefgh_-", min_size=1, max_size=12)
_WORDS = st.text(max_size=30)
_MARKS = st.sampled_from(["", "", "5m", "1h"])
_TEXTS = st.builds(Text, _WORDS, cache=_MARKS)
_BASE64 = st.binary(min_size=1, max_size=20).map(lambda data: b64encode(data).decode())


def _sources(*media_types: str) -> Any:
    inline = st.builds(Source, data=_BASE64, media_type=st.sampled_from(media_types))
    return inline | st.builds(Source, url=st.just("s3://bucket/object"), media_type=st.sampled_from(media_types))


_IMAGES = st.builds(Image, _sources("image/png", "image/jpeg", "image/webp"), cache=_MARKS)
_DOCUMENTS = st.builds(
    Document, _sources("application/pdf", "text/csv"), title=_WORDS, context=_WORDS, citations=st.booleans()
) | st.builds(Document, text=st.text(min_size=1), title=_WORDS, citations=st.booleans())
_SEEN = _IMAGES | _DOCUMENTS
_HEARD = st.builds(Audio, _sources("audio/wav")) | st.builds(Video, _sources("video/mp4"))
_CALLS = st.builds(
    ToolCall,
    st.text(min_size=1, max_size=80),
    _NAMES,
    st.dictionaries(_WORDS, st.integers() | _WORDS, max_size=2).map(lambda value: msgspec.json.encode(value).decode()),
    cache=_MARKS,
)
_THOUGHTS = st.builds(
    Thinking,
    _WORDS,
    signature=st.sampled_from(["", "c2ln"]),
    redacted=st.sampled_from(["", "cmVk"]),
    dialect=st.sampled_from([None, Dialect.CONVERSE, Dialect.ANTHROPIC, Dialect.GEMINI]),
)


@st.composite
def _turns(draw: Any) -> list[Message]:
    messages = [Message("system", (draw(_TEXTS),)), user(draw(_TEXTS), Text("and"))]
    for _ in range(draw(st.integers(0, 3))):
        calls = draw(st.lists(_CALLS, max_size=2, unique_by=lambda call: call.id))
        messages.append(assistant(*draw(st.lists(_TEXTS | _THOUGHTS | st.builds(Refusal, _WORDS), max_size=2)), *calls))
        results = [ToolResult(call.id, (draw(_TEXTS | _SEEN),), failed=draw(st.booleans())) for call in calls]
        if results:
            messages.append(tool(*results))
        messages.append(user(*draw(st.lists(_TEXTS | _SEEN | _HEARD, max_size=2))))
    return messages


_SCHEMA = msgspec.Raw(b'{"type":"object"}')
_TOOLS = st.builds(Tool, _NAMES, _WORDS, st.sampled_from([None, _SCHEMA]), st.sampled_from([None, True]), _MARKS)
_CHOICES = st.none() | st.builds(ToolChoice, st.sampled_from(["auto", "none", "required"]))
_FORMATS = st.none() | st.builds(
    OutputFormat, st.sampled_from(["text", "json_schema"]), _NAMES, schema=st.just(_SCHEMA)
)
_REASONING = st.none() | st.builds(
    Reasoning,
    st.sampled_from([None, "none", "minimal", "low", "medium", "high", "xhigh"]),
    st.sampled_from([None, 0, 500, 5000]),
    st.booleans(),
)

REQUESTS = st.builds(
    Request,
    st.just("route"),
    _turns().map(tuple),
    st.sampled_from([Dialect.OPENAI, Dialect.ANTHROPIC, Dialect.GEMINI, Dialect.RESPONSES]),
    max_output_tokens=st.none() | st.integers(1, 5000),
    tools=st.lists(_TOOLS, max_size=2).map(tuple),
    tool_choice=_CHOICES,
    output_format=_FORMATS,
    stop=st.lists(_WORDS, max_size=2).map(tuple),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(1, 50),
    reasoning=_REASONING,
)
