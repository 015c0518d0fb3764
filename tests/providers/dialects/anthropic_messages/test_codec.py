"""The dialect's contracts are whole: a call goes through each of them, and the vendor's own library reads the end."""

import json
from typing import Any

import anthropic
import httpx2

from kernel.errors import RateLimited
from providers.dialects.anthropic_messages.codec import CHAT_BACK, CHAT_FRONT, CHAT_THROUGH, ERRORS
from providers.dialects.canonical import Capabilities
from providers.dialects.codec import PathFacts, Upstream
from tests.providers.dialects.anthropic_messages.recorded import ASKED, body, cassette, stream

CHAT = body(cassette("chat.json")["request"])
ANSWER = body(cassette("tools.json")["response"])


def _library(content: bytes, content_type: str, status: int = 200) -> anthropic.Anthropic:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=content, headers={"content-type": content_type})

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    return anthropic.Anthropic(api_key="k", base_url="http://gateway", http_client=client, max_retries=0)


def _ask(library: anthropic.Anthropic, **fields: Any) -> Any:
    return library.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}], **fields)


def test_a_call_is_translated_there_and_back() -> None:
    head = CHAT_FRONT.decode_head(CHAT, PathFacts())
    request = CHAT_FRONT.decode_request(CHAT, PathFacts())
    written = json.loads(CHAT_BACK.encode_request(request, Upstream("claude", Capabilities())).body)
    assert (head.model, written["model"], written["max_tokens"]) == ("claude-sonnet-4-5", "claude", 256)
    assert CHAT_FRONT.read_prompt(CHAT).messages == 1
    answer = CHAT_FRONT.encode_answer(CHAT_BACK.decode_answer(ANSWER), ASKED)
    read = _ask(_library(answer, "application/json"))
    assert [block.type for block in read.content] == ["text", "tool_use", "tool_use"]


def test_a_stream_is_translated_and_read_by_the_vendor_s_library() -> None:
    decoder, encoder = CHAT_BACK.decoder(), CHAT_FRONT.encoder(ASKED, lambda usage: None)
    written = encoder.encode(decoder.feed(stream("tools_stream.sse")) + decoder.end())
    fields: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    with _library(written, "text/event-stream").messages.stream(**fields) as told:
        message = told.get_final_message()
    assert [block.type for block in message.content] == ["text", "tool_use", "tool_use"]
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 60)
    calls: list[Any] = list(message.content[1:])
    assert [call.input for call in calls] == [{"place": "Paris"}, {}]


def test_a_call_passes() -> None:
    head = CHAT_FRONT.decode_head(CHAT, PathFacts())
    assert CHAT_THROUGH.patch(CHAT, Upstream(head.model, Capabilities()), head=head, once=False) is CHAT
    assert CHAT_THROUGH.read_facts(ANSWER).finish_reason == "tool_calls"
    assert CHAT_THROUGH.reader(head, lambda usage: None).feed(stream("chat_stream.sse")) == stream("chat_stream.sse")


def test_an_error_is_read_by_the_vendor_s_library() -> None:
    error = RateLimited("slow down")
    library = _library(ERRORS.encode_error(error, request_id="r"), "application/json", ERRORS.status_of(error))
    try:
        _ask(library)
    except anthropic.RateLimitError as raised:
        assert raised.error_code == "rate_limit_exceeded"
    report = CHAT_BACK.read_error(429, lambda name: None, ERRORS.encode_error(error, request_id="r"))
    assert report is not None
    assert report.code == "rate_limit_exceeded"
