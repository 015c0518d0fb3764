"""Requests and answers that this dialect can say in full, made at random."""

import json
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import strategies as st

from providers.dialects.canonical import Capabilities, Dialect, Head, Usage
from providers.dialects.codec import Asked, PathFacts, Upstream
from providers.dialects.conversation import (
    Answer,
    Audio,
    Choice,
    Document,
    Finish,
    HostedTool,
    Image,
    Message,
    Opaque,
    OutputFormat,
    Part,
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

MODEL = "gemini-2.5-flash"
PATH = PathFacts(model=MODEL)
UPSTREAM = Upstream(model=MODEL, capabilities=Capabilities())
ASKED = Asked(head=Head(model="m"), body=b"{}", model="m", answer_id="a-1", created_at_s=0)

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = st.text("abcdefgh_", min_size=1, max_size=8)
schemas = st.sampled_from([{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object"}])


def raw(value: Any) -> msgspec.Raw:
    """Return a value as JSON."""
    return msgspec.Raw(json.dumps(value, separators=(",", ":")).encode())


signatures = st.sampled_from(["c2lnLTE=", "AAEC", "+/8="])
arguments = st.dictionaries(names, st.integers() | words, max_size=2).map(json.dumps)
texts = st.builds(Text, words)
images = st.sampled_from(
    [
        Image(Source(data="aGk=", media_type="image/png")),
        Image(Source(url="https://a.example/b.webp", media_type="image/webp")),
        Document(Source(data="aGk=", media_type="application/pdf")),
        Audio(Source(data="aGk=", media_type="audio/wav"), format="wav"),
    ]
)
opaques = st.just(Opaque(Dialect.GEMINI, "executableCode", raw({"executableCode": {"code": "1"}})))
thoughts = st.builds(Thinking, words, signature=signatures, dialect=st.just(Dialect.GEMINI))


def _unequal_neighbours(parts: list[Part]) -> bool:
    return all(type(a) is not type(b) for a, b in pairwise(parts))


said = st.lists(texts | thoughts | opaques, min_size=1, max_size=3).filter(_unequal_neighbours)


@st.composite
def turns(draw: st.DrawFn, number: int) -> list[Message]:
    """Return a question, and calls with their results or an answer."""
    asked = draw(st.lists(texts | images, min_size=1, max_size=3))
    messages = [Message("user", tuple(asked))]
    if draw(st.booleans()):
        return [*messages, Message("assistant", tuple(draw(said)))]
    calls = [
        ToolCall(f"call-{number}-{index}", draw(names), draw(arguments)) for index in range(draw(st.integers(1, 3)))
    ]
    calls[0] = msgspec.structs.replace(calls[0], signature="c2lnLTE=", dialect=Dialect.GEMINI)
    results = [
        ToolResult(call.id, (Text(draw(words | arguments)),), name=call.name, failed=draw(st.booleans()))
        for call in calls
    ]
    return [*messages, Message("assistant", tuple(calls)), Message("tool", tuple(results))]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Return a request."""
    messages = [Message("system", (Text(draw(words)),))] if draw(st.booleans()) else []
    for number in range(draw(st.integers(1, 3))):
        messages += draw(turns(number))
    functions = [
        Tool(draw(names), draw(words | st.just("")), raw(draw(schemas))) for _ in range(draw(st.integers(0, 2)))
    ]
    hosted = [HostedTool(Dialect.GEMINI, "googleSearch", raw({}))] if draw(st.booleans()) else []
    tools: list[Tool | HostedTool] = [*functions, *hosted]
    choices = [ToolChoice("auto"), ToolChoice("none"), ToolChoice("required"), ToolChoice("named", ("a",))]
    formats = [None, OutputFormat("json_object"), OutputFormat("json_schema", schema=raw(draw(schemas)))]
    maybe_float = st.none() | st.floats(0, 2)
    return Request(
        model=MODEL,
        messages=tuple(messages),
        dialect=Dialect.GEMINI,
        max_output_tokens=draw(st.none() | st.integers(1, 9000)),
        tools=tuple(tools),
        tool_choice=draw(st.sampled_from([None, *choices])) if functions else None,
        output_format=None if functions else draw(st.sampled_from(formats)),
        stop=tuple(draw(st.lists(words, max_size=5))),
        temperature=draw(maybe_float),
        top_p=draw(maybe_float),
        top_k=draw(st.none() | st.integers(1, 100)),
        frequency_penalty=draw(maybe_float),
        presence_penalty=draw(maybe_float),
        seed=draw(st.none() | st.integers(-(2**31), 2**31 - 1)),
        n=draw(st.none() | st.integers(2, 4)),
        logprobs=draw(st.sampled_from([None, True])),
        reasoning=draw(
            st.sampled_from(
                [None, Reasoning(budget_tokens=2048, summary="auto"), Reasoning(adaptive=True, summary="none")]
            )
        ),
        extras=draw(
            st.sampled_from(
                [
                    {},
                    {"safetySettings": raw([]), "generationConfig.responseModalities": raw(["TEXT", "IMAGE"])},
                    {"cachedContent": raw("c"), "toolConfig.retrievalConfig": raw({"languageCode": "de"})},
                ]
            )
        ),
    )


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Return a usage that Gemini can report."""
    input_tokens, thoughts_, words_ = (draw(st.integers(0, 999)) for _ in range(3))
    return Usage(
        input_tokens=input_tokens,
        cached_input_tokens=draw(st.integers(0, input_tokens)),
        output_tokens=thoughts_ + words_,
        reasoning_tokens=thoughts_,
        audio_input_tokens=draw(st.integers(0, input_tokens)),
        audio_output_tokens=draw(st.integers(0, words_)),
    )


@st.composite
def choices(draw: st.DrawFn, index: int) -> Choice:
    """Return one choice."""
    parts: list[Part] = list(draw(said))
    finish = draw(st.sampled_from([Finish.STOP, Finish.LENGTH, Finish.CONTENT_FILTER]))
    if draw(st.booleans()):
        parts += [
            ToolCall(
                f"c-{index}-{number}", draw(names), draw(arguments), signature, Dialect.GEMINI if signature else None
            )
            for number, signature in enumerate(draw(st.lists(signatures | st.just(""), min_size=1, max_size=2)))
        ]
        finish = Finish.TOOL_CALLS
    return Choice(tuple(parts), finish, index=index)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Return an answer."""
    count = draw(st.integers(1, 2))
    return Answer(
        choices=tuple(draw(choices(index)) for index in range(count)),
        id="r-1",
        model=MODEL,
        usage=draw(st.none() | usages()),
    )
