"""Google's Python client against the kinds of upstream, in both versions of its API."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from tests.e2e.every_upstream import INPUT_TOKENS, MAIN, OUTPUT_TOKENS, UPSTREAM
from tests.services.gateway import Gateway

pytestmark = pytest.mark.e2e
WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather",
            description="The weather in a city",
            parameters=types.Schema(
                type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"]
            ),
        )
    ]
)
ANY = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY))
NEVER = types.AutomaticFunctionCallingConfig(disable=True)


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    """The connections of all the clients here."""
    with httpx2.Client(timeout=60) as made:
        yield made


@pytest.fixture(params=["v1", "v1beta"])
def client(request: pytest.FixtureRequest, every: Gateway, http: httpx2.Client, request_id: str) -> genai.Client:
    """The client in either version of the API."""
    options = types.HttpOptions(
        base_url=every.base_url,
        api_version=request.param,
        headers={"x-request-id": request_id},
        httpx_client=http,
    )
    return genai.Client(api_key=every.keys["main"], http_options=options)


@pytest.mark.parametrize("kind", MAIN)
def test_whole(client: genai.Client, billed: Callable[..., None], kind: str) -> None:
    answer = client.models.generate_content(model=f"via-{kind}", contents="Hello")
    assert answer.text == "You said: Hello"
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata is not None
    if kind != "mock":
        counted = answer.usage_metadata
        assert (counted.prompt_token_count, counted.candidates_token_count) == (INPUT_TOKENS, OUTPUT_TOKENS)
    billed(kind)


@pytest.mark.parametrize("kind", MAIN)
def test_stream(client: genai.Client, billed: Callable[..., None], kind: str) -> None:
    chunks = list(client.models.generate_content_stream(model=f"via-{kind}", contents="Hello"))
    assert "".join(chunk.text or "" for chunk in chunks) == "You said: Hello"
    last = chunks[-1]
    assert last.candidates is not None
    assert last.candidates[0].finish_reason == types.FinishReason.STOP
    billed(kind)


@pytest.mark.parametrize("kind", MAIN)
@pytest.mark.parametrize("question", ["Weather in Paris", "Compare Paris and Rome"])
def test_tool_loop(client: genai.Client, billed: Callable[..., None], kind: str, question: str) -> None:
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text=question)])]
    forced = types.GenerateContentConfig(tools=[WEATHER], tool_config=ANY, automatic_function_calling=NEVER)
    free = types.GenerateContentConfig(tools=[WEATHER], automatic_function_calling=NEVER)
    chunks = client.models.generate_content_stream(model=f"via-{kind}", contents=contents, config=forced)
    parts = [part for chunk in chunks for part in (_content(chunk).parts or []) if part.function_call]
    both = question.startswith("Compare")
    wanted = ["mock"] if kind == "mock" else ["Paris", "Rome"] if both else ["Paris"]
    assert [part.function_call.args for part in parts if part.function_call] == [{"city": city} for city in wanted]
    contents.append(types.Content(role="model", parts=parts))
    results = [
        types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"result": "sunny"}))
        for call in (part.function_call for part in parts)
        if call
    ]
    contents.append(types.Content(role="user", parts=results))
    answer = client.models.generate_content(model=f"via-{kind}", contents=contents, config=free)
    if kind == "mock":
        assert "sunny" in (answer.text or "")
    else:
        assert answer.text == ("Sunny in both." if both else "Sunny in Paris.")
    billed(kind, calls=2)


def _content(chunk: types.GenerateContentResponse) -> types.Content:
    assert chunk.candidates is not None
    return chunk.candidates[0].content or types.Content()


@pytest.mark.parametrize("kind", ["openai", "bedrock", "mock"])  # the others are asked, and aimock has no such method
def test_count_tokens(client: genai.Client, kind: str) -> None:
    short, long = (
        client.models.count_tokens(model=f"via-{kind}", contents=text).total_tokens or 0
        for text in ("Hello", "Hello, this is longer than the other one")
    )
    assert 0 < short < long


@pytest.mark.parametrize("kind", ["openai", "azure-deployments", "mock"])
def test_embed_content(client: genai.Client, kind: str) -> None:
    answer = client.models.embed_content(model=f"embed-{kind}", contents=["one", "one"])
    vectors = [vector.values for vector in answer.embeddings or []]
    assert len(vectors) == 2
    assert vectors[0] == vectors[1]
    if kind != "mock":
        assert vectors[0] == [0.5, -0.25, 0.125, 1.0]


def test_models(client: genai.Client) -> None:
    names = {model.name for model in client.models.list()}
    assert {f"models/via-{kind}" for kind in MAIN} <= names
    assert client.models.get(model="via-openai").name == "models/via-openai"


# Errors


@pytest.mark.parametrize("kind", UPSTREAM)
@pytest.mark.parametrize("stream", [False, True])
def test_rate_limit(client: genai.Client, kind: str, stream: bool) -> None:
    ask = client.models.generate_content_stream if stream else client.models.generate_content
    with pytest.raises(errors.ClientError) as caught:
        list(ask(model=f"via-{kind}", contents="Too fast"))
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    response: Any = caught.value.response
    assert response.headers["retry-after"] == "31"


def test_providers_refusal_of_the_credential_is_not_the_callers(client: genai.Client) -> None:
    with pytest.raises(errors.ServerError):
        client.models.generate_content(model="via-locked", contents="Hello")


@pytest.mark.parametrize("kind", UPSTREAM)
def test_too_long(client: genai.Client, kind: str) -> None:
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model=f"via-{kind}", contents="Too long")
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("kind", UPSTREAM)
@pytest.mark.parametrize("way", ["via", "short"])  # cut, and ended too soon
def test_truncated_stream(client: genai.Client, way: str, kind: str) -> None:
    with pytest.raises(errors.APIError):
        list(client.models.generate_content_stream(model=f"{way}-{kind}", contents="Cut short"))
