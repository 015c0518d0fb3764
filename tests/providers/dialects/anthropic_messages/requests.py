"""Requests and answers that this dialect can express, for round trips, and how two of them are compared."""

import json
from typing import Any

import msgspec
from hypothesis import strategies as st

from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import (
    Answer,
    CacheMark,
    Choice,
    Document,
    Finish,
    HostedTool,
    Image,
    Message,
    Opaque,
    OutputFormat,
    Reasoning,
    Request,
    Source,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

_MARKS: st.SearchStrategy[CacheMark] = st.sampled_from(["", "5m", "1h"])
_WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
_NAMES = st.text("abcdefgh_-09", min_size=1, max_size=8)
_OBJECTS = st.dictionaries(_NAMES, st.integers(-9, 9) | _WORDS | st.lists(st.booleans(), max_size=2), max_size=3)
_SCHEMAS = st.just(msgspec.Raw(b'{"type":"object","properties":{"a":{"type":"string"}}}'))
_TEXTS = st.builds(Text, _WORDS, cache=_MARKS)
_IMAGES = st.builds(
    Image,
    st.sampled_from([Source(data="iVBORw0KGgo=", media_type="image/png"), Source(url="https://example.org/x.png")]),
    cache=_MARKS,
)
_DOCUMENTS = st.builds(
    Document,
    st.sampled_from([Source(data="JVBERi0xLjQ=", media_type="application/pdf"), Source(url="https://example.org/x")]),
    title=st.sampled_from(["", "A"]),
    context=st.sampled_from(["", "B"]),
    citations=st.booleans(),
    cache=_MARKS,
) | st.builds(Document, text=_WORDS, cache=_MARKS)
_OPAQUES = st.just(Opaque(Dialect.ANTHROPIC, "search_result", msgspec.Raw(b'{"type":"search_result","x":1}')))
_THOUGHTS = st.builds(Thinking, text=_WORDS, signature=_NAMES, dialect=st.just(Dialect.ANTHROPIC)) | st.builds(
    Thinking, redacted=_NAMES, dialect=st.just(Dialect.ANTHROPIC)
)
_CALLS = st.builds(ToolCall, _NAMES, _NAMES, _OBJECTS.map(json.dumps), cache=_MARKS)
_TOOLS = st.builds(Tool, _NAMES, description=_WORDS | st.just(""), parameters=_SCHEMAS, cache=_MARKS) | st.just(
    HostedTool(Dialect.ANTHROPIC, "web_search_20250305", msgspec.Raw(b'{"type":"web_search_20250305"}'))
)


def _several(part: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(part, min_size=1, max_size=3).map(tuple)


@st.composite
def _exchanges(draw: st.DrawFn) -> tuple[Message, ...]:
    """The user asks, the assistant calls tools, and their results come with what the user says next."""
    asked = draw(_several(_TEXTS | _IMAGES | _DOCUMENTS | _OPAQUES))
    calls = draw(st.lists(_CALLS, min_size=1, max_size=2, unique_by=lambda call: call.id))
    results = tuple(
        ToolResult(call.id, draw(_several(_TEXTS | _IMAGES)), failed=draw(st.booleans()), cache=draw(_MARKS))
        for call in calls
    )
    thought = (draw(_THOUGHTS), *draw(_several(_THOUGHTS | _TEXTS)))
    messages = [Message("user", asked), Message("assistant", (*thought, *calls)), Message("tool", results)]
    if more := draw(st.lists(_TEXTS, max_size=2)):
        messages.append(Message("user", tuple(more)))
    return tuple(messages)


_SYSTEMS = st.lists(_TEXTS, max_size=2).map(lambda texts: (Message("system", tuple(texts)),) if texts else ())
_REASONINGS = st.sampled_from(
    [
        *(None, Reasoning(adaptive=True, summary="auto"), Reasoning(budget_tokens=0), Reasoning(effort="high")),
        *(Reasoning(budget_tokens=1024, summary="none"), Reasoning(effort="low", budget_tokens=2000)),
    ]
)
REQUESTS: st.SearchStrategy[Request] = st.builds(
    lambda system, exchange, tools, **fields: Request(
        messages=(*system, *exchange),
        tools=tools,
        tool_choice=fields.pop("choice") if tools else None,
        parallel_tool_calls=fields.pop("parallel") if tools else None,
        **{name: value for name, value in fields.items() if name not in ("choice", "parallel")},
    ),
    _SYSTEMS,
    _exchanges(),
    st.lists(_TOOLS, max_size=2).map(tuple),
    model=st.just("m"),
    dialect=st.just(Dialect.ANTHROPIC),
    stream=st.booleans(),
    max_output_tokens=st.integers(4096, 9999),
    choice=st.sampled_from([ToolChoice("auto"), ToolChoice("required"), ToolChoice("named", ("x",))]),
    parallel=st.sampled_from([None, False]),
    output_format=st.none() | st.builds(OutputFormat, st.just("json_schema"), schema=_SCHEMAS),
    stop=st.lists(_WORDS, max_size=2).map(tuple),
    reasoning=_REASONINGS,
    user=_NAMES | st.just(""),
    extras=st.sampled_from([{}, {"service_tier": msgspec.Raw(b'"auto"'), "container": msgspec.Raw(b'{"id": "c"}')}]),
)

_USAGES = st.builds(
    lambda plain, cached, written, output, thought, searches: Usage(
        input_tokens=plain + cached + written,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        output_tokens=output + thought,
        reasoning_tokens=thought,
        searches=searches,
    ),
    *[st.integers(0, 1000)] * 6,
)
_FINISHES = st.sampled_from([finish for finish in Finish if finish not in (Finish.CONTENT_FILTER, Finish.ERROR)])
_ANSWER_PARTS = st.lists(
    st.builds(Text, _WORDS) | _THOUGHTS | st.builds(ToolCall, _NAMES, _NAMES, _OBJECTS.map(json.dumps)), max_size=4
)
ANSWERS: st.SearchStrategy[Answer] = st.builds(
    lambda parts, finish, stop, usage: Answer(
        choices=(Choice(tuple(parts), finish, stop_sequence=stop),), id="msg_1", model="m", usage=usage
    ),
    _ANSWER_PARTS,
    _FINISHES,
    st.sampled_from(["", "END"]),
    _USAGES,
)


def meaning(value: Any) -> Any:
    """Return what a request or an answer says, whatever the white space of the JSON in it."""
    return _plain(json.loads(msgspec.json.encode(value)))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        plain = {name: _plain(item) for name, item in value.items()}
        if isinstance(plain.get("arguments"), str):
            plain["arguments"] = json.loads(plain["arguments"] or "{}")
        return plain
    return value
