"""The Anthropic door over the built-in mock: messages, streams, counts, and refusals in Anthropic's words."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from gateway.endpoints import anthropic
from gateway.messages import Reply
from gateway.plane import DataPlane
from providers.dialects import sse
from tests.builders import Recorder, incoming

MakePlane = Callable[..., DataPlane]
ASKED = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "hello"}]}
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def read(reply: Reply) -> Any:
    return msgspec.json.decode(reply.body)


def ask(body: Any, **headers: str) -> Any:
    return incoming(body, path="/v1/messages", **headers)


@pytest.mark.parametrize("version", [None, "2023-06-01", "2026-10-21"])
async def test_a_message(make_plane: MakePlane, recorder: Recorder, version: str | None) -> None:
    headers = {} if version is None else {"anthropic_version": version}
    reply = await anthropic.messages(make_plane(), ask(ASKED, **headers))
    assert reply.status == 200
    message = Message.model_validate(read(reply))
    assert message.content[0].type == "text"
    assert (message.content[0].text, message.stop_reason) == ("You said: hello", "end_turn")
    [record] = recorder.attempts
    assert (message.usage.input_tokens, message.usage.output_tokens) == (2, record.usage.output_tokens)
    names = dict(reply.headers)
    assert names[b"request-id"] == names[b"x-request-id"]


async def test_a_stream_has_the_exact_sequence(make_plane: MakePlane) -> None:
    reply = await anthropic.messages(make_plane(), ask(ASKED | {"stream": True}))
    assert reply.chunks is not None
    data = b"".join([chunk async for chunk in reply.chunks])
    events = [EVENT.validate_json(sse.data_of(event) or b"") for event in sse.EventSplitter().feed(data)]
    kinds = [event.type for event in events]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert set(kinds[2:-3]) == {"content_block_delta"}
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert all(event.startswith(b"event: ") for event in sse.EventSplitter().feed(data))


async def test_tokens_are_counted_here_where_nobody_else_does(make_plane: MakePlane) -> None:
    asked = {name: value for name, value in ASKED.items() if name != "max_tokens"}
    reply = await anthropic.count_tokens(make_plane(), ask(asked))
    assert (reply.status, read(reply)) == (200, {"input_tokens": 2})


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind", "code"),
    [
        (ASKED, {"anthropic_version": "1999-01-01"}, 400, "invalid_request_error", "invalid_version"),
        (
            ASKED | {"temperature": 0.5},
            {"anthropic_version": "2026-10-21"},
            400,
            "invalid_request_error",
            "invalid_value",
        ),
        ({"model": "m", "messages": []}, {}, 400, "invalid_request_error", "missing_required_parameter"),
        (ASKED | {"model": "no"}, {}, 404, "not_found_error", "model_not_found"),
        (ASKED, {"secret": "sk-gw-wrong"}, 401, "authentication_error", "invalid_api_key"),
    ],
)
async def test_refusals(  # noqa: PLR0917 - one a parameter
    make_plane: MakePlane, body: Any, headers: dict[str, str], status: int, kind: str, code: str
) -> None:
    reply = await anthropic.messages(make_plane(), ask(body, **headers))
    error = read(reply)
    assert (reply.status, error["type"], error["error"]["type"]) == (status, "error", kind)
    assert error["error"]["details"]["error_code"] == code
    assert error["request_id"].encode() == dict(reply.headers)[b"request-id"]
