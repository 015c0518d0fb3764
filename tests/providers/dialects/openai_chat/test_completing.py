"""A plain completion has the text and nothing else, and strict clients read it."""

import json
from typing import Any

import msgspec
from openai.types import Completion

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Head, Usage
from providers.dialects.codec import Asked
from providers.dialects.conversation import (
    Answer,
    Choice,
    Ended,
    Finish,
    Finished,
    Refusal,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    UsageReport,
)
from providers.dialects.openai_chat.completing import CompletionEncoder, encode_completion

ASKED = Asked(head=Head("m", wants_stream_usage=True), body=b"{}", model="m", answer_id="a1", created_at_s=9)
TOKENS = msgspec.Raw(
    b'[{"token":"ab","logprob":-0.5,"bytes":null,"top_logprobs":[{"token":"x","logprob":-1.0}]},'
    b'{"token":"c","logprob":-0.25,"top_logprobs":[]}]'
)


def _validated(fields: Any) -> Any:
    """Return the fields, as strict clients take them; OpenAI's own chunks have a null reason that its types don't."""
    choices = [choice | {"finish_reason": choice["finish_reason"] or "stop"} for choice in fields["choices"]]
    Completion.model_validate(fields | {"choices": choices}, strict=True)
    return fields


def test_a_whole_answer() -> None:
    parts = (Thinking("hm"), Text("ab"), Text("c"), Refusal("no"), ToolCall("c", "f", "{}"))
    answer = Answer((Choice(parts, Finish.TOOL_CALLS, logprobs=TOKENS),), usage=Usage(3, output_tokens=2))
    written = _validated(json.loads(encode_completion(answer, ASKED)))
    choice = written["choices"][0]
    assert (written["object"], written["id"], written["usage"]["total_tokens"]) == ("text_completion", "a1", 5)
    assert (choice["text"], choice["finish_reason"]) == ("abcno", "stop")
    assert choice["logprobs"] == {
        "tokens": ["ab", "c"],
        "token_logprobs": [-0.5, -0.25],
        "top_logprobs": [{"x": -1.0}, {}],
        "text_offset": [0, 2],
    }


def test_a_stream() -> None:
    encoder = CompletionEncoder(ASKED, lambda usage: b"0.5")
    data = encoder.encode(
        [
            *(Started("i", "n"), ThinkingDelta(text="hm"), TextDelta("a", 1), TextDelta("b", 1, logprobs=TOKENS)),
            *(Finished(Finish.LENGTH), UsageReport(Usage(3, output_tokens=2)), Ended()),
        ]
    )
    *events, done, rest = data.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    chunks = [_validated(json.loads(event.removeprefix("data: "))) for event in events]
    assert [choice["text"] for chunk in chunks for choice in chunk["choices"]] == ["a", "b", ""]
    assert chunks[1]["choices"][0]["logprobs"]["text_offset"] == [1, 3]
    assert chunks[2]["choices"][0]["finish_reason"] == "length"
    assert (chunks[3]["choices"], chunks[3]["usage"]["cost"]) == ([], 0.5)
    assert {chunk["id"] for chunk in chunks} == {"i"}


def test_usage_is_told_only_where_it_was_asked_for() -> None:
    asked = msgspec.structs.replace(ASKED, head=Head("m"))
    encoder = CompletionEncoder(asked, lambda usage: None)
    data = encoder.encode([TextDelta("a"), UsageReport(Usage(1)), Ended()])
    assert b"usage" not in data


def test_tokens_of_an_odd_form_are_left_out() -> None:
    answer = Answer((Choice((Text("a"),), Finish.STOP, logprobs=msgspec.Raw(b'[{"token":5}]')),))
    assert json.loads(encode_completion(answer, ASKED))["choices"][0]["logprobs"] is None


def test_an_error_is_an_event() -> None:
    event = CompletionEncoder(ASKED, lambda usage: None).fail(UpstreamBroken("no"), request_id="r")
    assert json.loads(event.removeprefix(b"data: "))["error"]["message"] == "no"
