"""OpenAI's own Python client, as an application would use it, against a gateway over the wire."""

import base64
import json
import struct
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from tests.services.gateway import Gateway

pytestmark = pytest.mark.e2e
HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    },
}


@pytest.fixture(params=["mock-small", "remote"])
def model(request: pytest.FixtureRequest) -> str:
    """A route to the mock inside the process, and one to the mock behind a socket."""
    name: str = request.param
    return name


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    """The client, as strict about answers as it can be."""
    with gateway.openai(_strict_response_validation=True) as made:
        yield made


@pytest.fixture
def lenient(gateway: Gateway) -> Iterator[openai.OpenAI]:
    """The client as it usually is: its own types don't allow for base64 vectors and for chunks of completions."""
    with gateway.openai() as made:
        yield made


@pytest.fixture
async def async_client(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    """Its asynchronous form."""
    options: Any = {"max_retries": 0, "_strict_response_validation": True}
    async with openai.AsyncOpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.keys["main"], **options) as made:
        yield made


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def test_chat(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=HELLO)
    assert answer.choices[0].message.content == "You said: Hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_stream_without_usage_has_no_chunk_nobody_asked_for(client: openai.OpenAI, model: str) -> None:
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, stream=True))
    assert text_of(chunks) == "You said: Hello"
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_stream_with_usage_ends_in_usage_and_cost(client: openai.OpenAI, model: str) -> None:
    options: Any = {"include_usage": True}
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, stream=True, stream_options=options))
    assert text_of(chunks) == "You said: Hello"
    *earlier, last = chunks
    assert all(chunk.usage is None for chunk in earlier)
    assert not last.choices
    assert last.usage is not None
    assert last.usage.completion_tokens == 3
    assert Decimal(str(last.usage.cost)) > 0  # type: ignore[attr-defined]  # the gateway's own addition


def test_streamed_tool_calls_can_be_put_together(client: openai.OpenAI, model: str) -> None:
    stream = client.chat.completions.create(
        model=model, messages=HELLO, tools=[WEATHER], tool_choice="required", stream=True
    )
    name, arguments, pieces = "", "", 0
    for chunk in stream:
        for call in chunk.choices[0].delta.tool_calls or ():
            assert call.function is not None
            name += call.function.name or ""
            arguments += call.function.arguments or ""
            pieces += 1
    assert (name, json.loads(arguments)) == ("weather", {"city": "mock", "days": 1})
    assert pieces >= 3


def test_tool_calls(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=HELLO, tools=[WEATHER], tool_choice="required")
    assert answer.choices[0].finish_reason == "tool_calls"
    [call] = answer.choices[0].message.tool_calls or ()
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"city": "mock", "days": 1}


def test_embeddings_are_the_same_in_either_encoding(lenient: openai.OpenAI) -> None:
    asked: Any = {"model": "mock-embedding", "input": ["one", "two"], "dimensions": 8}
    plain = lenient.embeddings.create(**asked, encoding_format="float")
    usual = lenient.embeddings.create(**asked)  # the client asks for base64 and decodes it
    assert [item.embedding for item in plain.data] == [item.embedding for item in usual.data]
    assert [len(item.embedding) for item in plain.data] == [8, 8]
    raw = lenient.embeddings.with_raw_response.create(**asked, encoding_format="base64").http_response.json()
    packed = base64.b64decode(raw["data"][0]["embedding"])
    assert list(struct.unpack("<8f", packed)) == plain.data[0].embedding


def test_legacy_completions(client: openai.OpenAI, lenient: openai.OpenAI) -> None:
    answer = client.completions.create(model="mock-small", prompt="Hello")
    assert answer.choices[0].text == "You said: Hello"
    chunks = list(lenient.completions.create(model="mock-small", prompt="Hello", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == "You said: Hello"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_models(client: openai.OpenAI) -> None:
    listed = {model.id: model for model in client.models.list()}
    assert {"mock-small", "usual", "remote"} <= listed.keys()
    assert client.models.retrieve("mock-small") == listed["mock-small"]
    assert client.models.retrieve("usual") == listed["usual"]
    assert listed["mock-small"].object == "model"


def test_a_key_lists_what_it_may_use(gateway: Gateway) -> None:
    with gateway.openai("narrow") as client:
        assert {model.id for model in client.models.list()} == {"remote", "mock-embedding"}


def test_headers_say_where_a_call_went_and_what_it_cost(client: openai.OpenAI) -> None:
    answer = client.chat.completions.with_raw_response.create(model="remote", messages=HELLO)
    assert answer.headers["x-gateway-target"] == "remote/mock-small"
    assert answer.headers["x-gateway-attempts"] == "1"
    assert Decimal(answer.headers["x-gateway-cost-usd"]) > 0
    assert answer.parse()._request_id == answer.headers["x-request-id"]


def test_a_stream_has_those_headers_but_for_the_cost(client: openai.OpenAI) -> None:
    answer = client.chat.completions.with_raw_response.create(model="remote", messages=HELLO, stream=True)
    assert answer.headers["x-gateway-target"] == "remote/mock-small"
    assert answer.headers["x-request-id"]
    assert "x-gateway-cost-usd" not in answer.headers
    assert text_of(list(answer.parse())) == "You said: Hello"


def test_the_callers_own_request_id_is_kept(client: openai.OpenAI) -> None:
    mine = {"x-request-id": "order-4711.retry/2"}
    answer = client.chat.completions.with_raw_response.create(model="mock-small", messages=HELLO, extra_headers=mine)
    assert answer.headers["x-request-id"] == mine["x-request-id"]


@pytest.mark.parametrize("insane", ["", "a b", "x" * 129, '"><script>'])
def test_an_insane_request_id_is_replaced(gateway: Gateway, insane: str) -> None:
    answer = gateway.chat(request_id=insane or None)
    assert answer.headers["x-request-id"].startswith("req_")


# Errors, by the class an application catches


@pytest.mark.parametrize(
    ("key", "code"), [("nobody", "invalid_api_key"), ("expired", "expired_api_key"), ("", "missing_api_key")]
)
def test_authentication_errors(gateway: Gateway, key: str, code: str) -> None:
    options = {"base_url": f"{gateway.base_url}/v1", "max_retries": 0}
    with openai.OpenAI(api_key=gateway.keys.get(key, "sk-gw-of-nobody"), **options) as client:  # type: ignore[arg-type]
        headers: Any = {"authorization": openai.Omit()} if not key else {}
        with pytest.raises(openai.AuthenticationError) as caught:
            client.chat.completions.create(model="mock-small", messages=HELLO, extra_headers=headers)
    assert caught.value.code == code
    assert caught.value.request_id


def test_a_model_the_key_may_not_use(gateway: Gateway) -> None:
    with gateway.openai("narrow") as client, pytest.raises(openai.PermissionDeniedError) as caught:
        client.chat.completions.create(model="mock-small", messages=HELLO)
    assert (caught.value.code, caught.value.param) == ("model_not_allowed", "model")


def test_a_key_without_the_scope(gateway: Gateway) -> None:
    with gateway.openai("reader") as client, pytest.raises(openai.PermissionDeniedError) as caught:
        client.chat.completions.create(model="mock-small", messages=HELLO)
    assert caught.value.code == "insufficient_scope"


def test_an_unknown_model_names_the_known_ones(gateway: Gateway) -> None:
    with gateway.openai("narrow") as client, pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-nothing", messages=HELLO)
    assert caught.value.code == "model_not_found"
    assert "gpt-nothing" in caught.value.message
    assert "mock-embedding, remote" in caught.value.message


def test_a_bad_request_names_the_parameter(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="mock-small", messages=HELLO, temperature="hot")  # type: ignore[arg-type]
    assert caught.value.param == "temperature"


def test_a_providers_rate_limit_passes_with_its_retry_after(client: openai.OpenAI) -> None:
    limited: Any = [{"role": "user", "content": "[[mock status=429 retry_after=31]]"}]
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="remote", messages=limited)
    assert caught.value.response.headers["retry-after"] == "31"
    assert caught.value.code == "mock_error"
    assert "told to answer 429" in caught.value.message


@pytest.mark.parametrize("fault", ["error_event", "cut", "not_json", "no_done"])
def test_a_stream_that_breaks_is_an_error_and_never_an_end(client: openai.OpenAI, model: str, fault: str) -> None:
    broken: Any = [{"role": "user", "content": f"[[mock fault={fault} cut_after=3 tokens=9]]"}]
    chunks: list[ChatCompletionChunk] = []
    with pytest.raises(openai.APIError) as caught:  # noqa: PT012 - what came before the break counts
        for chunk in client.chat.completions.create(model=model, messages=broken, stream=True):
            chunks.append(chunk)  # noqa: PERF402
    assert text_of(chunks) == "the quick"
    assert caught.value.code in {"mock_gave_up", "upstream_cut", "upstream_invalid_response"}


async def test_asynchronous_client(async_client: openai.AsyncOpenAI, model: str) -> None:
    answer = await async_client.chat.completions.create(model=model, messages=HELLO)
    assert answer.choices[0].message.content == "You said: Hello"
    stream = await async_client.chat.completions.create(model=model, messages=HELLO, stream=True)
    assert text_of([chunk async for chunk in stream]) == "You said: Hello"
    embedded = await async_client.embeddings.create(
        model="mock-embedding", input="x", dimensions=4, encoding_format="float"
    )
    assert len(embedded.data[0].embedding) == 4
    with pytest.raises(openai.NotFoundError):
        await async_client.models.retrieve("gpt-nothing")


async def test_asynchronous_stream_helper(async_client: openai.AsyncOpenAI) -> None:
    async with async_client.chat.completions.stream(model="remote", messages=HELLO) as stream:
        assert [event.type async for event in stream][-1] == "content.done"
        final = await stream.get_final_completion()
    assert final.choices[0].message.content == "You said: Hello"
