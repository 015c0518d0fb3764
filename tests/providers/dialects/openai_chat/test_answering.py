"""A whole answer is written so that strict clients read it, and reading it again gives the same."""

import json
from typing import Any

import msgspec
from hypothesis import given
from openai.types.chat import ChatCompletion

from providers.dialects.canonical import Dialect, Head, Usage
from providers.dialects.codec import Asked
from providers.dialects.conversation import (
    Answer,
    Choice,
    Citation,
    Finish,
    Image,
    Opaque,
    Source,
    Text,
    Thinking,
    ToolCall,
)
from providers.dialects.openai_chat.answering import encode_answer
from providers.dialects.openai_chat.reading import decode_answer
from tests.providers.dialects.openai_chat.requests import answers

ASKED = Asked(head=Head("m"), body=b"{}", model="m", answer_id="a1", created_at_s=9)


def _write(answer: Answer) -> dict[str, Any]:
    fields = json.loads(encode_answer(answer, ASKED))
    ChatCompletion.model_validate(fields, strict=True)
    assert isinstance(fields, dict)
    return fields


def _choice(*parts: Any, finish: Finish = Finish.STOP, **fields: Any) -> Answer:
    return Answer((Choice(parts, finish, **fields),))


@given(answers())
def test_an_answer_comes_back_as_it_was(answer: Answer) -> None:
    _write(answer)
    assert decode_answer(encode_answer(answer, ASKED)) == answer


def test_names_stand_in_where_the_provider_has_none() -> None:
    written = _write(_choice(Text("a")))
    assert (written["id"], written["model"], written["created"]) == ("a1", "m", 9)
    assert "usage" not in written


def test_everything_an_answer_may_hold() -> None:
    cited = Citation("url", Dialect.GEMINI, msgspec.Raw(b"{}"), title="t", url="u")
    signed = ToolCall("c", "f", "", signature="s", dialect=Dialect.GEMINI)
    sound = msgspec.Raw(b'{"id":"x","data":"aGk=","expires_at":1,"transcript":"hi"}')
    parts = (
        Thinking("why", signature="sig", dialect=Dialect.ANTHROPIC),
        *(Text("ab"), Text("cde", citations=(cited,))),
        Image(Source(data="aGk=", media_type="image/png")),
        Opaque(Dialect.OPENAI, "audio", sound),
        Opaque(Dialect.ANTHROPIC, "server_tool_use", msgspec.Raw(b"{}")),
        signed,
    )
    answer = _choice(*parts, finish=Finish.TOOL_CALLS, logprobs=msgspec.Raw(b"[]"))
    choice = _write(answer)["choices"][0]
    message = choice["message"]
    assert message["content"] == "abcde"
    assert message["annotations"][0]["url_citation"]["start_index"] == 2
    assert message["reasoning_content"] == "why"
    assert message["reasoning_details"][0]["format"] == "anthropic"
    assert message["images"][0]["image_url"]["url"].startswith("data:image/png")
    assert message["audio"]["transcript"] == "hi"
    assert message["tool_calls"] == [
        {
            "id": "c",
            "type": "function",
            "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "s"}},
        }
    ]
    assert choice["logprobs"] == {"content": [], "refusal": None}


def test_a_signature_of_another_vendor_s_call_comes_back() -> None:
    call = ToolCall("c", "f", "{}", signature="s", dialect=Dialect.CONVERSE)
    answer = _choice(call, finish=Finish.TOOL_CALLS)
    assert decode_answer(encode_answer(answer, ASKED)).choices[0].parts == (call,)


def test_service_tiers_are_only_those_that_clients_know() -> None:
    assert _write(Answer((), service_tier="priority"))["service_tier"] == "priority"
    assert "service_tier" not in _write(Answer((), service_tier="standard", usage=Usage(1)))


def test_a_stop_sequence_is_told() -> None:
    answer = _choice(Text("a"), finish=Finish.STOP_SEQUENCE, stop_sequence="END")
    assert _write(answer)["choices"][0]["finish_reason"] == "stop"
    assert decode_answer(encode_answer(answer, ASKED)).choices[0].stop_sequence == "END"
