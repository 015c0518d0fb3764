"""OpenAI's Python client against every kind of upstream."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from tests.e2e.every_upstream import ALL, AWS_KEY_ID, INPUT_NANOS, KINDS, MAIN, OUTPUT_NANOS, UPSTREAM
from tests.services.aimock import Aimock
from tests.services.gateway import Gateway

pytestmark = pytest.mark.e2e
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather in a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
SCHEMA: Any = {
    "type": "json_schema",
    "json_schema": {
        "name": "trip",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}


def said(text: str) -> Any:
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module")
def connected(every: Gateway) -> Iterator[openai.OpenAI]:
    """The client, strict about answers."""
    with every.openai(_strict_response_validation=True) as made:
        yield made


@pytest.fixture
def client(connected: openai.OpenAI, request_id: str) -> openai.OpenAI:
    """The client with the test's own request id."""
    return connected.with_options(default_headers={"x-request-id": request_id})


@pytest.mark.parametrize("kind", ALL)
def test_whole(client: openai.OpenAI, every: Gateway, request_id: str, billed: Callable[..., None], kind: str) -> None:
    answer = client.chat.completions.create(model=f"via-{kind}", messages=said("Hello"))
    assert answer.choices[0].message.content == "You said: Hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    billed(kind)
    [row] = every.records(request_id)
    assert row["cost_nanos"] == answer.usage.prompt_tokens * INPUT_NANOS + answer.usage.completion_tokens * OUTPUT_NANOS


@pytest.mark.parametrize("kind", ALL)
def test_stream(client: openai.OpenAI, billed: Callable[..., None], kind: str) -> None:
    chunks = list(client.chat.completions.create(model=f"via-{kind}", messages=said("Hello"), stream=True))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == "You said: Hello"
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert all(chunk.usage is None for chunk in chunks)
    billed(kind)


# Mistral tells its usage unasked and can't be asked; aimock tells it to those who ask.
@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "mistral"])
def test_stream_with_usage(client: openai.OpenAI, kind: str) -> None:
    options: Any = {"model": f"via-{kind}", "stream": True, "stream_options": {"include_usage": True}}
    *earlier, last = client.chat.completions.create(messages=said("Hello"), **options)
    assert all(chunk.usage is None for chunk in earlier)
    assert not last.choices
    used: Any = last.usage
    nanos = used.prompt_tokens * INPUT_NANOS + used.completion_tokens * OUTPUT_NANOS
    assert round(used.cost * 1e9) == nanos > 0


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("question", ["Weather in Paris", "Compare Paris and Rome"])
def test_tool_loop(client: openai.OpenAI, billed: Callable[..., None], kind: str, question: str) -> None:
    messages = said(question)
    asked: Any = {"model": f"via-{kind}", "tools": TOOLS}
    with client.chat.completions.stream(messages=messages, tool_choice="required", **asked) as stream:
        called = stream.get_final_completion().choices[0]
    assert called.finish_reason == "tool_calls"
    calls = called.message.tool_calls or []
    cities = [json.loads(call.function.arguments)["city"] for call in calls]
    both = question.startswith("Compare")
    assert cities == (["mock"] if kind == "mock" else ["Paris", "Rome"] if both else ["Paris"])
    assert len({call.id for call in calls}) == len(calls)
    messages.append(
        {
            "role": "assistant",
            "tool_calls": [
                {"id": c.id, "type": "function", "function": {"name": "weather", "arguments": c.function.arguments}}
                for c in calls
            ],
        }
    )
    messages += [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in calls]
    answer = client.chat.completions.create(messages=messages, **asked).choices[0].message.content
    wanted = "Sunny in both." if both else "Sunny in Paris."
    assert answer == ("You said: sunny" if kind == "mock" else wanted)
    billed(kind, calls=2)


@pytest.mark.parametrize("kind", ["openai", "azure-v1", "anthropic", "gemini", "vertex", "bedrock", "mistral"])
def test_json_schema(client: openai.OpenAI, kind: str) -> None:
    answer = client.chat.completions.create(model=f"via-{kind}", messages=said("As JSON"), response_format=SCHEMA)
    assert json.loads(answer.choices[0].message.content or "") == {"city": "Paris", "days": 3}


@pytest.mark.parametrize("kind", ["anthropic", "bedrock", "gemini", "openrouter"])
def test_reasoning(client: openai.OpenAI, kind: str) -> None:
    asked: Any = {"model": f"via-{kind}", "messages": said("Think"), "reasoning_effort": "low"}
    message: Any = client.chat.completions.create(**asked).choices[0].message
    assert message.content == "42"
    assert (message.reasoning if kind == "openrouter" else message.reasoning_content) == "Six times seven."


@pytest.mark.parametrize("kind", ["openai", "azure-deployments"])
def test_embeddings_in_either_encoding(every: Gateway, kind: str) -> None:
    with every.openai() as client:
        asked: Any = {"model": f"embed-{kind}", "input": "one"}
        usual = client.embeddings.create(**asked)  # the client asks for base64, aimock answers with numbers
        plain = client.embeddings.create(**asked, encoding_format="float")
    assert usual.data[0].embedding == plain.data[0].embedding == [0.5, -0.25, 0.125, 1.0]


def test_what_is_sent_to_bedrock_is_signed(
    client: openai.OpenAI, every: Gateway, unkeyed: Aimock, request_id: str
) -> None:
    client.chat.completions.create(model="via-bedrock", messages=said("Hello"))
    [entry] = unkeyed.of(request_id)
    assert every.keys["main"] not in json.dumps(entry)
    assert AWS_KEY_ID not in json.dumps(entry["body"])
    assert entry["headers"]["x-amz-date"]


PATHS = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": f"/v1beta/models/{KINDS['gemini'].model}:generateContent",
    "bedrock-bearer": "/model/amazon.nova-pro-v1%3A0/converse",
    "azure-v1": "/openai/v1/chat/completions",
    "azure-deployments": "/openai/deployments/deployed/chat/completions?api-version=2024-10-21",
    "vertex": "/v1/projects/acme/locations/europe-west1/publishers/google/models/gemini-2.5-pro:generateContent",
    "mistral": "/v1/chat/completions",
    "cohere": "/compatibility/v1/chat/completions",
    "openrouter": "/api/v1/chat/completions",
    "huggingface": "/v1/chat/completions",
}


@pytest.mark.parametrize("kind", PATHS)
def test_upstream_is_asked_where_it_listens(
    client: openai.OpenAI, keyed: Aimock, request_id: str, every: Gateway, kind: str
) -> None:
    client.chat.completions.create(model=f"via-{kind}", messages=said("Hello"), user="ann")
    [entry] = keyed.of(request_id)
    assert entry["path"] == PATHS[kind]
    assert every.keys["main"] not in json.dumps(entry)
    if kind == "mistral":  # which refuses what it doesn't know
        assert "user" not in entry["body"]


# Errors


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "mock"])
@pytest.mark.parametrize("stream", [False, True])
def test_rate_limit(client: openai.OpenAI, kind: str, stream: bool) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=f"via-{kind}", messages=said("Too fast"), stream=stream)
    assert caught.value.response.headers["retry-after"] == "31"


def test_providers_refusal_of_the_credential_is_not_the_callers(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="via-locked", messages=said("Hello"))
    assert caught.value.code == "upstream_authentication_failed"


# aimock says Bedrock's errors in Anthropic's envelope, in which there is no code to be found.
@pytest.mark.parametrize("kind", [kind for kind in ALL if kind not in {"mock", "bedrock", "bedrock-bearer"}])
def test_too_long(client: openai.OpenAI, kind: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=f"via-{kind}", messages=said("Too long"))
    # OpenRouter's own envelope, which has the status there, passes as it came.
    assert caught.value.code == ("400" if kind == "openrouter" else "context_length_exceeded")


@pytest.mark.parametrize("kind", MAIN)
def test_failure(client: openai.OpenAI, kind: str) -> None:
    text = "[[mock status=500]]" if kind == "mock" else "Broken"
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model=f"via-{kind}", messages=said(text))


@pytest.mark.parametrize("kind", UPSTREAM)
def test_truncated_stream(client: openai.OpenAI, every: Gateway, request_id: str, kind: str) -> None:
    text = ""
    with pytest.raises(openai.APIError):  # noqa: PT012 - what came before the break counts
        for chunk in client.chat.completions.create(model=f"via-{kind}", messages=said("Cut short"), stream=True):
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
    assert "These words never come to the end that was meant for them.".startswith(text)
    [row] = every.records(request_id)
    assert row["ending"] != "completed"


@pytest.mark.parametrize("kind", UPSTREAM)
def test_stream_that_ends_too_soon(client: openai.OpenAI, kind: str) -> None:
    with pytest.raises(openai.APIError) as caught:
        list(client.chat.completions.create(model=f"short-{kind}", messages=said("Hello"), stream=True))
    assert caught.value.code == "upstream_cut"
