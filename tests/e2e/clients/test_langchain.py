"""LangChain's models for OpenAI and Anthropic against the kinds of upstream."""

from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from tests.e2e.every_upstream import INPUT_TOKENS, MAIN, OUTPUT_TOKENS, UPSTREAM
from tests.services.gateway import Gateway

pytestmark = pytest.mark.e2e
RATE_LIMITS = {"openai": openai.RateLimitError, "anthropic": anthropic.RateLimitError}
CUTS = {"openai": openai.APIError, "anthropic": anthropic.APIError}


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@pytest.fixture(params=["openai", "anthropic"])
def library(request: pytest.FixtureRequest) -> str:
    """Whose model LangChain takes the gateway for."""
    name: str = request.param
    return name


@pytest.fixture
def model(every: Gateway, request_id: str, library: str) -> Callable[..., BaseChatModel]:
    """Return a model for a kind of upstream."""

    def make(kind: str, way: str = "via") -> BaseChatModel:
        usual: Any = {
            "model": f"{way}-{kind}",
            "api_key": every.keys["main"],
            "max_retries": 0,
            "default_headers": {"x-request-id": request_id},
        }
        if library == "openai":
            return ChatOpenAI(base_url=f"{every.base_url}/v1", **usual)
        return ChatAnthropic(base_url=every.base_url, **usual)

    return make


Model = Callable[..., BaseChatModel]


def assert_counted(message: AIMessage, kind: str) -> None:
    usage = message.usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    if kind != "mock":
        assert (usage["input_tokens"], usage["output_tokens"]) == (INPUT_TOKENS, OUTPUT_TOKENS)


@pytest.mark.parametrize("kind", MAIN)
def test_invoke(model: Model, billed: Callable[..., None], kind: str) -> None:
    answer = model(kind).invoke("Hello")
    assert answer.text == "You said: Hello"
    assert_counted(answer, kind)
    billed(kind)


@pytest.mark.parametrize("kind", MAIN)
def test_stream(model: Model, library: str, billed: Callable[..., None], kind: str) -> None:
    options: Any = {"stream_usage": True}
    first, *others = model(kind).stream("Hello", **options)
    whole: Any = first
    for chunk in others:
        whole += chunk
    assert whole.text == "You said: Hello"
    # LangChain takes Anthropic's input tokens from the last event; aimock says them in the first one only.
    if (library, kind) != ("anthropic", "anthropic"):
        assert_counted(whole, kind)
    billed(kind)


@pytest.mark.parametrize("kind", MAIN)
def test_tool_loop(model: Model, billed: Callable[..., None], kind: str) -> None:
    asked = HumanMessage("Compare Paris and Rome")
    chat: Any = model(kind)
    called = chat.bind_tools([weather], tool_choice="any").invoke([asked])
    wanted = ["mock"] if kind == "mock" else ["Paris", "Rome"]
    assert [(call["name"], call["args"]) for call in called.tool_calls] == [("weather", {"city": c}) for c in wanted]
    results = [weather.invoke(call) for call in called.tool_calls]
    assert all(isinstance(result, ToolMessage) for result in results)
    answer = chat.bind_tools([weather]).invoke([asked, called, *results])
    assert answer.text == ("You said: sunny in mock" if kind == "mock" else "Sunny in both.")
    billed(kind, calls=2)


def test_embeddings(every: Gateway) -> None:
    settings: Any = {"base_url": f"{every.base_url}/v1", "api_key": every.keys["main"]}
    model = OpenAIEmbeddings(model="embed-openai", check_embedding_ctx_length=False, **settings)
    assert model.embed_query("one") == [0.5, -0.25, 0.125, 1.0]


@pytest.mark.parametrize("kind", UPSTREAM)
def test_rate_limit(model: Model, library: str, kind: str) -> None:
    with pytest.raises(RATE_LIMITS[library]) as caught:
        model(kind).invoke("Too fast")
    error: Any = caught.value
    assert error.response.headers["retry-after"] == "31"


@pytest.mark.parametrize("kind", UPSTREAM)
@pytest.mark.parametrize("way", ["via", "short"])  # cut, and ended too soon
def test_truncated_stream(model: Model, library: str, way: str, kind: str) -> None:
    with pytest.raises(CUTS[library]):
        list(model(kind, way).stream("Cut short"))
