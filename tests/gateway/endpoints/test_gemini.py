"""The Gemini door over the built-in mock: methods of a model, told by the end of the path."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from google.genai.types import GenerateContentResponse

from gateway.endpoints import gemini
from gateway.messages import Reply
from gateway.plane import DataPlane
from providers.dialects import sse
from tests.builders import Recorder, incoming

MakePlane = Callable[..., DataPlane]
ASKED = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


def read(reply: Reply) -> Any:
    return msgspec.json.decode(reply.body)


async def ask(plane: DataPlane, method: str, body: Any = ASKED, query: str = "", **headers: str) -> Reply:
    asked = msgspec.structs.replace(incoming(body, path=f"/v1beta/models/{method}", **headers), query=query)
    return await gemini.call_model(plane, asked, method)


async def test_content_is_generated(make_plane: MakePlane, recorder: Recorder) -> None:
    reply = await ask(make_plane(), "m:generateContent")
    answer = GenerateContentResponse.model_validate(read(reply))
    assert (reply.status, answer.text) == (200, "You said: hello")
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.prompt_token_count == recorder.attempts[0].usage.input_tokens == 2


async def test_a_stream_of_events(make_plane: MakePlane) -> None:
    reply = await ask(make_plane(), "m:streamGenerateContent", query="alt=sse")
    assert (b"content-type", b"text/event-stream") in reply.headers
    assert reply.chunks is not None
    data = b"".join([chunk async for chunk in reply.chunks])
    events = [
        GenerateContentResponse.model_validate_json(sse.data_of(e) or b"") for e in sse.EventSplitter().feed(data)
    ]
    assert "".join(event.text or "" for event in events) == "You said: hello"
    assert data.startswith(b"data: {")


async def test_a_stream_as_an_array(make_plane: MakePlane) -> None:
    reply = await ask(make_plane(), "m:streamGenerateContent")
    assert (b"content-type", b"application/json") in reply.headers
    assert reply.chunks is not None
    told = msgspec.json.decode(b"".join([chunk async for chunk in reply.chunks]))
    answers = [GenerateContentResponse.model_validate(entry) for entry in told]
    assert "".join(answer.text or "" for answer in answers) == "You said: hello"


async def test_tokens_and_vectors(make_plane: MakePlane) -> None:
    plane = make_plane()
    assert read(await ask(plane, "m:countTokens"))["totalTokens"] == 2
    one = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 4}
    assert len(read(await ask(plane, "m:embedContent", one))["embedding"]["values"]) == 4
    many = {"requests": [{"model": "models/m", **one}, {"model": "models/m", **one}]}
    assert len(read(await ask(plane, "m:batchEmbedContents", many))["embeddings"]) == 2


@pytest.mark.parametrize(
    ("method", "body", "headers", "status", "word"),
    [
        ("m:predict", ASKED, {}, 404, "NOT_FOUND"),
        ("m", ASKED, {}, 404, "NOT_FOUND"),
        ("no:generateContent", ASKED, {}, 404, "NOT_FOUND"),
        ("m:generateContent", {"contents": 7}, {}, 400, "INVALID_ARGUMENT"),
        ("m:generateContent", b"{", {}, 400, "INVALID_ARGUMENT"),
        ("m:generateContent", ASKED, {"secret": "sk-gw-wrong"}, 401, "UNAUTHENTICATED"),
    ],
)
async def test_refusals(  # noqa: PLR0917 - one a parameter
    make_plane: MakePlane, method: str, body: Any, headers: dict[str, str], status: int, word: str
) -> None:
    reply = await ask(make_plane(), method, body, **headers)
    error = read(reply)["error"]
    assert (reply.status, error["code"], error["status"]) == (status, status, word)
    assert dict(reply.headers)[b"x-request-id"]
