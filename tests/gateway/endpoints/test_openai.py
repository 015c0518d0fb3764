"""The OpenAI door over the built-in mock: three operations."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.endpoints import openai
from gateway.messages import Reply
from gateway.plane import DataPlane
from tests.builders import CHAT, Recorder, incoming

MakePlane = Callable[..., DataPlane]


def read(reply: Reply) -> Any:
    return msgspec.json.decode(reply.body)


async def test_a_chat_completion(make_plane: MakePlane, recorder: Recorder) -> None:
    reply = await openai.chat_completions(make_plane(), incoming(CHAT))
    assert reply.status == 200
    answer = read(reply)
    assert (answer["object"], answer["model"]) == ("chat.completion", "mock-small")
    assert answer["choices"][0]["message"]["content"] == "You said: hello"
    assert recorder.attempts[0].operation == "chat"


async def test_a_completion(make_plane: MakePlane, recorder: Recorder) -> None:
    reply = await openai.completions(make_plane(), incoming({"model": "m", "prompt": "hello"}))
    assert read(reply)["choices"][0]["text"] == "You said: hello"
    assert recorder.attempts[0].operation == "completion"


async def test_embeddings(make_plane: MakePlane, recorder: Recorder) -> None:
    reply = await openai.embeddings(make_plane(), incoming({"model": "m", "input": ["a", "b"], "dimensions": 8}))
    assert [len(entry["embedding"]) for entry in read(reply)["data"]] == [8, 8]
    [record] = recorder.attempts
    assert (record.operation, record.usage.input_tokens, record.usage.output_tokens) == ("embedding", 2, 0)


@pytest.mark.parametrize("call", [openai.chat_completions, openai.completions, openai.embeddings])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"model": 7}', b"\xff", b"[" * 100_000])
async def test_nonsense_is_the_callers_fault(make_plane: MakePlane, call: Any, body: bytes) -> None:
    reply = await call(make_plane(), incoming(body))
    assert (reply.status, read(reply)["error"]["type"]) == (400, "invalid_request_error")
