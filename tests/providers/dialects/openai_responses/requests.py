"""Conversations that the dialect can say, for hypothesis."""

import msgspec
from hypothesis import strategies as st

from providers.dialects.canonical import Capabilities, Dialect
from providers.dialects.codec import Upstream
from providers.dialects.conversation import (
    Document,
    Image,
    Message,
    Opaque,
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
)

OWN = Dialect.RESPONSES
UPSTREAM = Upstream(model="m", capabilities=Capabilities())

words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
names = st.text("abcxyz_", min_size=1, max_size=8)
ids = st.text("abc123", min_size=1, max_size=8)
raws = st.sampled_from([msgspec.Raw(b'{"type":"object"}'), msgspec.Raw(b'{"type":"object","properties":{"a":{}}}')])
marks = st.sampled_from(["", "5m", "1h"])
texts = st.builds(Text, words, cache=marks)
sources = st.sampled_from(
    [Source(data="aGk=", media_type="image/png"), Source(url="https://example.org/a.png"), Source(file_id="file-1")]
)
images = st.builds(Image, sources, detail=st.sampled_from(["low", "high", "auto"]))
documents = st.builds(Document, st.just(Source(data="aGk=", media_type="application/pdf")), title=names)
thoughts = st.builds(Thinking, words, signature=names, id=ids.map(lambda text: f"rs_{text}"), dialect=st.just(OWN))
calls = st.builds(ToolCall, ids, names, st.just('{"a":1}'))
said: st.SearchStrategy[Part] = st.one_of(st.builds(Text, words), st.builds(Refusal, words), thoughts)
_SEARCH = b'{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"q"}}'
searches = st.just(Opaque(OWN, "web_search_call", msgspec.Raw(_SEARCH)))


@st.composite
def exchanges(draw: st.DrawFn) -> list[Message]:
    """What a user said, what the assistant said and called, and what came of the calls."""
    asked = Message("user", tuple(draw(st.lists(st.one_of(texts, images, documents), min_size=1, max_size=3))))
    called = draw(st.lists(calls, max_size=2, unique_by=lambda call: call.id))
    answered = Message("assistant", (*draw(st.lists(st.one_of(said, searches), min_size=1, max_size=3)), *called))
    results = [ToolResult(call.id, tuple(draw(st.lists(st.one_of(texts, images), min_size=1)))) for call in called]
    return [asked, answered, *([Message("tool", tuple(results))] if results else [])]


systems = st.lists(st.builds(lambda text: Message("system", (text,)), texts), max_size=2)
conversations = st.builds(
    lambda system, turns: (*system, *(message for turn in turns for message in turn)),
    systems,
    st.lists(exchanges(), min_size=1, max_size=2),
)
tools = st.builds(Tool, names, description=st.sampled_from(["", "What it does"]), parameters=raws, strict=st.booleans())
formats = st.one_of(
    st.just(OutputFormat("text")),
    st.just(OutputFormat("json_object")),
    st.builds(OutputFormat, st.just("json_schema"), name=names, schema=raws, strict=st.booleans()),
)
efforts = st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh"])
reasonings = st.builds(Reasoning, effort=efforts, summary=st.sampled_from(["", "auto", "detailed"]))
fractions = st.one_of(st.none(), st.floats(0, 1))

requests = st.builds(
    Request,
    model=st.just("m"),
    messages=conversations,
    dialect=st.just(OWN),
    stream=st.booleans(),
    max_output_tokens=st.one_of(st.none(), st.integers(16, 1000)),
    tools=st.lists(tools, min_size=1, max_size=2).map(tuple),
    tool_choice=st.one_of(
        st.none(),
        st.sampled_from([ToolChoice("auto"), ToolChoice("none"), ToolChoice("required")]),
        st.lists(names, min_size=1, max_size=2).map(lambda found: ToolChoice("named", tuple(found))),
    ),
    parallel_tool_calls=st.one_of(st.none(), st.booleans()),
    output_format=st.one_of(st.none(), formats),
    temperature=fractions,
    top_p=fractions,
    top_logprobs=st.one_of(st.none(), st.integers(0, 20)),
    reasoning=st.one_of(st.none(), reasonings),
    user=st.sampled_from(["", "u-1"]),
    metadata=st.one_of(st.none(), st.just({"a": "b"})),
    extras=st.sampled_from(
        [
            {},
            {"store": msgspec.Raw(b"false"), "verbosity": msgspec.Raw(b'"low"')},
            {"odd_field": msgspec.Raw(b"1.0"), "reasoning": msgspec.Raw(b'{"mode":"pro"}')},
        ]
    ),
)
