"""Anthropic's Python client against the kinds of upstream."""

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

from tests.e2e.every_upstream import INPUT_TOKENS, MAIN, OUTPUT_TOKENS, UPSTREAM
from tests.services.gateway import Gateway

pytestmark = pytest.mark.e2e
TOOLS: Any = [
    {
        "name": "weather",
        "description": "The weather in a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]


def said(text: str) -> Any:
    return [{"role": "user", "content": text}]


def text_of(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.fixture(scope="module")
def connected(every: Gateway) -> Iterator[anthropic.Anthropic]:
    """The client with the gateway's key, strict about answers."""
    options: Any = {"max_retries": 0, "_strict_response_validation": True}
    with anthropic.Anthropic(base_url=every.base_url, api_key=every.keys["main"], **options) as made:
        yield made


@pytest.fixture
def client(connected: anthropic.Anthropic, request_id: str) -> anthropic.Anthropic:
    """The client with the test's own request id."""
    return connected.with_options(default_headers={"x-request-id": request_id})


@pytest.mark.parametrize("kind", MAIN)
def test_whole(client: anthropic.Anthropic, billed: Callable[..., None], request_id: str, kind: str) -> None:
    message = client.messages.create(model=f"via-{kind}", max_tokens=100, messages=said("Hello"))
    assert text_of(message) == "You said: Hello"
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert message._request_id == request_id
    if kind != "mock":
        assert (message.usage.input_tokens, message.usage.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)
    billed(kind)


@pytest.mark.parametrize("kind", MAIN)
def test_stream(client: anthropic.Anthropic, billed: Callable[..., None], kind: str) -> None:
    with client.messages.stream(model=f"via-{kind}", max_tokens=100, messages=said("Hello")) as stream:
        events = [event.type for event in stream]
        final = stream.get_final_message()
    assert (events[0], events[-1]) == ("message_start", "message_stop")
    assert text_of(final) == "You said: Hello"
    assert final.stop_reason == "end_turn"
    if kind != "mock":
        assert final.usage.output_tokens == OUTPUT_TOKENS
    billed(kind)


@pytest.mark.parametrize("kind", MAIN)
@pytest.mark.parametrize("question", ["Weather in Paris", "Compare Paris and Rome"])
def test_tool_loop(client: anthropic.Anthropic, billed: Callable[..., None], kind: str, question: str) -> None:
    messages = said(question)
    asked: Any = {"model": f"via-{kind}", "max_tokens": 100, "tools": TOOLS}
    with client.messages.stream(messages=messages, tool_choice={"type": "any"}, **asked) as stream:
        called = stream.get_final_message()
    assert called.stop_reason == "tool_use"
    uses = [block for block in called.content if block.type == "tool_use"]
    both = question.startswith("Compare")
    wanted = ["mock"] if kind == "mock" else ["Paris", "Rome"] if both else ["Paris"]
    assert [use.input for use in uses] == [{"city": city} for city in wanted]
    messages.append({"role": "assistant", "content": called.content})
    results = [{"type": "tool_result", "tool_use_id": use.id, "content": "sunny"} for use in uses]
    messages.append({"role": "user", "content": results})
    answer = text_of(client.messages.create(messages=messages, **asked))
    assert answer == ("You said: sunny" if kind == "mock" else "Sunny in both." if both else "Sunny in Paris.")
    billed(kind, calls=2)


@pytest.mark.parametrize("kind", UPSTREAM)
@pytest.mark.parametrize("stream", [False, True])
def test_thinking(client: anthropic.Anthropic, kind: str, stream: bool) -> None:
    thinking: Any = {"type": "enabled", "budget_tokens": 1024}
    asked: Any = {"model": f"via-{kind}", "max_tokens": 2048, "messages": said("Think")}
    if kind != "openai":  # its model doesn't think, and says so
        asked["thinking"] = thinking
    if stream:
        with client.messages.stream(**asked) as events:
            message = events.get_final_message()
    else:
        message = client.messages.create(**asked)
    assert text_of(message) == "42"
    if kind != "openai":
        [thought] = [block for block in message.content if block.type == "thinking"]
        assert thought.thinking == "Six times seven."


@pytest.mark.parametrize("kind", ["openai", "bedrock", "mock"])  # the others are asked, and aimock has no such method
def test_count_tokens(client: anthropic.Anthropic, kind: str) -> None:
    short, long = (
        client.messages.count_tokens(model=f"via-{kind}", messages=said(text)).input_tokens
        for text in ("Hello", "Hello, this is longer than the other one")
    )
    assert 0 < short < long


def test_models(client: anthropic.Anthropic) -> None:
    listed = {model.id: model for model in client.models.list()}
    assert {f"via-{kind}" for kind in MAIN} <= listed.keys()
    assert client.models.retrieve("via-openai").type == "model"


# Errors


@pytest.mark.parametrize("kind", UPSTREAM)
@pytest.mark.parametrize("stream", [False, True])
def test_rate_limit(client: anthropic.Anthropic, kind: str, stream: bool) -> None:
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(model=f"via-{kind}", max_tokens=9, messages=said("Too fast"), stream=stream)
    assert caught.value.response.headers["retry-after"] == "31"


def test_providers_refusal_of_the_credential_is_not_the_callers(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.InternalServerError):
        client.messages.create(model="via-locked", max_tokens=9, messages=said("Hello"))


def test_wrong_key(every: Gateway) -> None:
    with (
        anthropic.Anthropic(base_url=every.base_url, api_key="sk-gw-of-nobody", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.messages.create(model="via-mock", max_tokens=9, messages=said("Hello"))


@pytest.mark.parametrize("kind", UPSTREAM)
def test_too_long(client: anthropic.Anthropic, kind: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(model=f"via-{kind}", max_tokens=9, messages=said("Too long"))
    assert caught.value.body["error"]["type"] == "invalid_request_error"  # type: ignore[index]  # an object, untyped


@pytest.mark.parametrize("kind", UPSTREAM)
@pytest.mark.parametrize("way", ["via", "short"])  # cut, and ended too soon
def test_truncated_stream(client: anthropic.Anthropic, way: str, kind: str) -> None:
    with (
        pytest.raises(anthropic.APIError),
        client.messages.stream(model=f"{way}-{kind}", max_tokens=99, messages=said("Cut short")) as stream,
    ):
        stream.get_final_message()
