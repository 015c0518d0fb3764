"""What was said, in the order and the form that Bedrock insists on."""

from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect, Feature
from providers.dialects.conversation import (
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Refusal,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from tests.providers.dialects.bedrock_converse.requests import (
    CLAUDE,
    LLAMA,
    PICTURE,
    PNG,
    assistant,
    body_of,
    encode,
    tool,
    user,
    without,
    write,
)

RAW = msgspec.Raw(b'{"guardContent":{"text":{"text":"x"}}}')


def turns(*messages: Message, **fields: Any) -> Any:
    return write(*messages, **fields)["messages"]


def content(*parts: Part, **fields: Any) -> Any:
    return turns(user(*parts), **fields)[0]["content"]


def refused(*messages: Message, **fields: Any) -> tuple[str, str | None]:
    with pytest.raises(InvalidRequest) as caught:
        encode(*messages, **fields)
    return caught.value.code, caught.value.param


def test_system_stands_apart_wherever_it_was_said() -> None:
    written = write(
        Message("system", (Text("a", cache="5m"),)), user(Text("b")), Message("developer", (Text("c"), Text(" ")))
    )
    assert written["system"] == [{"text": "a"}, {"cachePoint": {"type": "default"}}, {"text": "c"}]
    assert written["messages"] == [{"role": "user", "content": [{"text": "b"}]}]


def test_a_model_without_system_hears_it_from_the_user() -> None:
    encoded = encode(Message("system", (Text("a"),)), user(Text("b")), capabilities=without(Feature.SYSTEM))
    assert body_of(encoded) == {"messages": [{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}]}
    assert encoded.unsupported == ("messages[0].role",)


def test_somebody_has_to_speak() -> None:
    assert write(Message("system", (Text("a"),))) == {"messages": [{"role": "user", "content": [{"text": "a"}]}]}


def test_neighbours_of_one_role_become_one() -> None:
    found = turns(user(Text("a")), user(Text("b")), assistant(Text("c")), assistant(Text("d")), user(Text("e")))
    assert found == [
        {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
        {"role": "assistant", "content": [{"text": "c"}, {"text": "d"}]},
        {"role": "user", "content": [{"text": "e"}]},
    ]


def test_blank_texts_are_left_out() -> None:
    assert turns(user(Text(""), Text("a"), Text(" \n", cache="5m")), assistant(Text("")), user(Text("b"))) == [
        {"role": "user", "content": [{"text": "a"}, {"text": "b"}]}
    ]


def test_tools_and_their_results() -> None:
    calls = assistant(Text("hm"), ToolCall("a", "f", '{"x": 1}'), ToolCall("b", "g", ""))
    results = (tool(ToolResult("a", (Text("1"), PICTURE))), tool(ToolResult("b", (Text(""),), failed=True)))
    found = turns(user(Text("q")), calls, *results, user(Text("and?")))
    assert [turn["role"] for turn in found] == ["user", "assistant", "user"]
    assert found[1]["content"][1:] == [
        {"toolUse": {"toolUseId": "a", "name": "f", "input": {"x": 1}}},
        {"toolUse": {"toolUseId": "b", "name": "g", "input": {}}},
    ]
    picture = {"image": {"format": "png", "source": {"bytes": PNG}}}
    assert found[2]["content"] == [
        {"toolResult": {"toolUseId": "a", "content": [{"text": "1"}, picture]}},
        {"toolResult": {"toolUseId": "b", "content": [{"text": "(no output)"}], "status": "error"}},
        {"text": "and?"},
    ]


def test_ids_that_bedrock_would_refuse_stay_a_pair() -> None:
    for call_id in ("call|1", "é", "x" * 65, ""):
        found = turns(user(Text("q")), assistant(ToolCall(call_id, "f", "{}")), tool(ToolResult(call_id, (Text("1"),))))
        use, result = found[1]["content"][0]["toolUse"], found[2]["content"][0]["toolResult"]
        assert use["toolUseId"] == result["toolUseId"]
        assert len(use["toolUseId"]) == 37


def test_a_result_of_nothing_that_was_called() -> None:
    assert refused(user(Text("q")), tool(ToolResult("a", ()))) == ("invalid_tool_result", "messages[1].content[0]")


@pytest.mark.parametrize("arguments", ["[1]", "{", "7", '{"a":', "é"])
def test_arguments_that_are_no_object(arguments: str) -> None:
    assert refused(assistant(ToolCall("a", "f", arguments)))[0] == "invalid_tool_arguments"


@pytest.mark.parametrize(
    ("thought", "model", "said"),
    [
        (Thinking("t", signature="s", dialect=Dialect.CONVERSE), LLAMA, True),
        (Thinking("t", signature="s", dialect=Dialect.ANTHROPIC), CLAUDE, True),
        (Thinking("t", signature="s", dialect=Dialect.ANTHROPIC), LLAMA, False),
        (Thinking("t", signature="s", dialect=Dialect.GEMINI), CLAUDE, False),
        (Thinking("t", signature="s"), CLAUDE, True),
        (Thinking("t"), CLAUDE, False),
        (Thinking("t", dialect=Dialect.CONVERSE), CLAUDE, False),
    ],
)
def test_thoughts_go_back_to_those_who_signed_them(thought: Thinking, model: str, said: bool) -> None:
    found = turns(user(Text("q")), assistant(thought, Text("a")), user(Text("b")), model=model)[1]["content"]
    block = {"reasoningContent": {"reasoningText": {"text": "t", "signature": "s"}}}
    assert found == [*([block] if said else []), {"text": "a"}]


def test_thoughts_that_are_kept_from_all() -> None:
    thought = Thinking(redacted="cmVk", dialect=Dialect.ANTHROPIC)
    found = turns(user(Text("q")), assistant(thought, Refusal("no")), user(Text("b")))
    assert found[1]["content"] == [{"reasoningContent": {"redactedContent": "cmVk"}}, {"text": "no"}]


def test_marks_for_the_cache() -> None:
    found = content(Text("a", cache="1h"), Image(PICTURE.source, cache="5m"), Text("b"))
    assert found[1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert found[3] == {"cachePoint": {"type": "default"}}
    encoded = encode(user(Text("a", cache="1h")), capabilities=without(Feature.CACHE_MARKS))
    assert (encoded.unsupported, encoded.ignored) == ((), ("cache_control",))
    assert body_of(encoded)["messages"][0]["content"] == [{"text": "a"}]


def test_documents_have_names_of_their_own_over_the_whole_conversation() -> None:
    document = Document(text="x", title="notes.txt")
    found = turns(user(Text("a"), document), assistant(Text("b")), user(document, Text("c")))
    assert [found[0]["content"][1]["document"]["name"], found[2]["content"][0]["document"]["name"]] == [
        "notes-txt",
        "notes-txt 2",
    ]


@pytest.mark.parametrize(
    ("part", "feature"),
    [
        (PICTURE, Feature.IMAGES),
        (Document(text="x"), Feature.DOCUMENTS),
        (Video(Source(data="aGk=", media_type="video/mp4")), Feature.VIDEO),
    ],
)
def test_what_a_model_can_not_take(part: Part, feature: Feature) -> None:
    expected = ("unsupported_content", "messages[0].content[1]")
    assert refused(user(Text("a"), part), capabilities=without(feature)) == expected


def test_a_picture_in_a_result_needs_a_model_that_sees() -> None:
    called = assistant(ToolCall("a", "f", "{}"))
    assert refused(called, tool(ToolResult("a", (PICTURE,))), capabilities=without(Feature.IMAGES)) == (
        "unsupported_content",
        "messages[1].content[0]",
    )


def test_a_history_with_tools_needs_a_model_that_knows_them() -> None:
    assert refused(assistant(ToolCall("a", "f", "{}")), capabilities=without(Feature.TOOLS))[0] == "unsupported_content"


def test_the_model_shows_no_pictures_in_a_history() -> None:
    assert refused(assistant(PICTURE)) == ("unsupported_content", "messages[0].content[0]")


def test_what_only_one_dialect_has() -> None:
    assert content(Opaque(Dialect.CONVERSE, "guardContent", RAW)) == [msgspec.json.decode(RAW)]
    assert refused(user(Opaque(Dialect.ANTHROPIC, "search_result", RAW)))[0] == "unsupported_content"


def test_an_answer_that_was_begun() -> None:
    found = turns(user(Text("q")), assistant(Text("It is \n")))
    assert found[-1] == {"role": "assistant", "content": [{"text": "It is"}]}
    begun = (user(Text("q")), assistant(Text("It is")))
    assert refused(*begun, capabilities=without(Feature.PREFILL)) == ("unsupported_content", "messages[1]")


def test_names_of_speakers_are_not_told() -> None:
    assert encode(Message("user", (Text("a"),), name="Ann")).ignored == ("messages[0].name",)
