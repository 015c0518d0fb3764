"""Requests and answers that this dialect can express, for round trips."""

import json
from typing import Any

import msgspec
from hypothesis import strategies as st

from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import (
    Answer,
    Audio,
    Choice,
    Document,
    Finish,
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
)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = st.text("abcdefgh_", min_size=1, max_size=8)
numbers = st.floats(0, 2, allow_nan=False)
counts = st.integers(1, 9)
schemas = st.sampled_from([{"type": "object", "properties": {}}, {"type": "object", "required": ["a"]}]).map(
    lambda value: msgspec.Raw(json.dumps(value, separators=(",", ":")).encode())
)
marks: st.SearchStrategy[Any] = st.sampled_from(["", "", "5m", "1h"])
inline = st.builds(Source, data=st.sampled_from(["aGk=", "AAAA"]), media_type=st.sampled_from(["image/png", "a/b"]))
addresses = st.builds(Source, url=st.just("https://example.org/x"))

text_parts = st.builds(Text, texts, cache=marks)
image_parts = st.builds(Image, inline | addresses, detail=st.sampled_from(["", "low", "auto"]), cache=marks)
document_parts = st.builds(Document, inline, title=texts, cache=marks)
audio_parts = st.builds(Audio, st.just(Source(data="aGk=", media_type="audio/wav")), format=st.just("wav"))
user_parts = st.lists(text_parts | image_parts | document_parts | audio_parts, min_size=1, max_size=3).map(tuple)

thoughts = st.builds(Thinking, texts) | st.builds(
    Thinking, texts, signature=names, dialect=st.just(Dialect.OPENAI), id=st.just("")
)
calls = st.builds(ToolCall, names, names, st.just('{"a":1}')) | st.builds(
    ToolCall, names, names, st.just("{}"), signature=names, dialect=st.just(Dialect.GEMINI)
)


@st.composite
def assistant_parts(draw: st.DrawFn) -> tuple[Part, ...]:
    parts: list[Part] = [*draw(st.lists(thoughts, max_size=1)), *draw(st.lists(text_parts, max_size=2))]
    parts += draw(st.lists(st.builds(Refusal, texts), max_size=1))
    parts += draw(st.lists(calls, max_size=2, unique_by=lambda call: call.id))
    return tuple(parts)


instructing: st.SearchStrategy[Any] = st.sampled_from(["system", "developer"])
results = st.builds(ToolResult, names, st.lists(text_parts, max_size=2).map(tuple), name=st.just(""))
messages = st.one_of(
    st.builds(
        Message, st.sampled_from(["system", "developer"]), st.lists(text_parts, min_size=1, max_size=2).map(tuple)
    ),
    st.builds(Message, st.just("user"), user_parts, name=st.just("") | names),
    st.builds(Message, st.just("assistant"), assistant_parts()),
    st.builds(Message, st.just("tool"), st.lists(results, min_size=1, max_size=2).map(tuple)),
)


def _apart(turns: list[Message]) -> tuple[Message, ...]:
    """Turns of a tool never follow one another: they would be one."""
    kept: list[Message] = []
    for turn in turns:
        if not (kept and kept[-1].role == turn.role == "tool"):
            kept.append(turn)
    return tuple(kept)


json_schema: st.SearchStrategy[Any] = st.just("json_schema")
tools = st.builds(
    Tool, names, description=st.just("") | texts, parameters=schemas, strict=st.none() | st.booleans(), cache=marks
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    offered = tuple(draw(st.lists(tools, max_size=2)))
    choices: list[ToolChoice | None] = [None]
    if offered:
        choices += [ToolChoice("auto"), ToolChoice("none"), ToolChoice("required"), ToolChoice("named", ("a",))]
    wants_logprobs = draw(st.sampled_from([None, True]))
    return Request(
        model="m",
        messages=draw(st.lists(messages, min_size=1, max_size=4).map(_apart)),
        dialect=Dialect.OPENAI,
        stream=draw(st.booleans()),
        max_output_tokens=draw(st.none() | counts),
        tools=offered,
        tool_choice=draw(st.sampled_from(choices)),
        parallel_tool_calls=draw(st.sampled_from([None, True, False])) if offered else None,
        output_format=draw(
            st.none()
            | st.just(OutputFormat("json_object"))
            | st.builds(
                OutputFormat, st.just("json_schema"), name=names, schema=schemas, strict=st.none() | st.booleans()
            )
        ),
        stop=tuple(draw(st.lists(texts, max_size=2))),
        temperature=draw(st.none() | numbers),
        top_p=draw(st.none() | numbers),
        top_k=draw(st.none() | counts),
        frequency_penalty=draw(st.none() | numbers),
        presence_penalty=draw(st.none() | numbers),
        seed=draw(st.none() | counts),
        n=draw(st.none() | counts),
        logprobs=wants_logprobs,
        top_logprobs=draw(st.none() | counts) if wants_logprobs else None,
        reasoning=draw(
            st.none()
            | st.builds(Reasoning, st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh"]))
            | st.builds(Reasoning, budget_tokens=counts, summary=st.sampled_from(["", "none", "auto"]))
            | st.just(Reasoning(adaptive=True))
        ),
        user=draw(st.just("") | names),
        metadata=draw(st.none() | st.just({"a": "b"})),
        extras=draw(st.just({}) | st.just({"logit_bias": msgspec.Raw(b'{"1":2}'), "store": msgspec.Raw(b"true")})),
    )


def _ending(parts: tuple[Part, ...]) -> st.SearchStrategy[Finish]:
    """The reasons that this dialect can tell for an answer of these parts."""
    if any(isinstance(part, ToolCall) for part in parts):
        return st.sampled_from([Finish.TOOL_CALLS, Finish.LENGTH])
    if any(isinstance(part, Refusal) for part in parts):
        return st.sampled_from([Finish.REFUSAL, Finish.LENGTH])
    return st.sampled_from([Finish.STOP, Finish.LENGTH, Finish.CONTENT_FILTER])


@st.composite
def answer_parts(draw: st.DrawFn) -> tuple[Part, ...]:
    parts: list[Part] = [*draw(st.lists(thoughts, max_size=1)), *draw(st.lists(texts.map(Text), max_size=1))]
    parts += draw(st.lists(st.builds(Refusal, texts), max_size=1))
    parts += draw(st.lists(calls, max_size=2, unique_by=lambda call: call.id))
    return tuple(parts)


@st.composite
def choices(draw: st.DrawFn, index: int) -> Choice:
    parts = draw(answer_parts())
    return Choice(parts=parts, finish=draw(_ending(parts)), index=index)


usages = st.builds(
    Usage,
    input_tokens=st.integers(20, 30),
    cached_input_tokens=st.integers(0, 5),
    cache_write_tokens=st.integers(0, 5),
    output_tokens=st.integers(9, 20),
    reasoning_tokens=st.integers(0, 9),
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    count = draw(st.integers(1, 2))
    return Answer(
        choices=tuple(draw(choices(index)) for index in range(count)),
        id=draw(names),
        model=draw(names),
        usage=draw(usages),
    )
