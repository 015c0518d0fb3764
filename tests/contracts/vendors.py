"""The vendors' own libraries as judges: of requests that are written for their servers, answers for their clients."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from anthropic.types import Message, MessageCreateParams, RawMessageStreamEvent
from google.genai import types as genai
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.responses.response_create_params import ResponseCreateParams
from pydantic import TypeAdapter

from providers.dialects import sse
from providers.dialects.canonical import Dialect
from tests.providers.dialects.bedrock_converse.botocore_model import complaints
from tests.providers.dialects.openai_responses.official import check_response as check_whole_response
from tests.providers.dialects.openai_responses.official import check_stream as check_response_stream

_chat = TypeAdapter[Any](CompletionCreateParams)
_response = TypeAdapter[Any](ResponseCreateParams)
_message = TypeAdapter[Any](MessageCreateParams)
_event = TypeAdapter[Any](RawMessageStreamEvent)
_CONTENT_FIELDS: Mapping[str, TypeAdapter[Any]] = MappingProxyType(
    {
        "contents": TypeAdapter(list[genai.Content]),
        "systemInstruction": TypeAdapter(genai.Content),
        "tools": TypeAdapter(list[genai.Tool]),
        "toolConfig": TypeAdapter(genai.ToolConfig),
        "generationConfig": TypeAdapter(genai.GenerationConfig),
        "safetySettings": TypeAdapter(list[genai.SafetySetting]),
        "labels": TypeAdapter(dict[str, str]),
    }
)


def _drain(adapter: "TypeAdapter[Any]", body: dict[str, Any]) -> None:
    """Validate a value with all that its iterables hold, which are only looked at when they are read."""
    _read(adapter.validate_python(body))


def _read(value: Any) -> None:
    if isinstance(value, dict):
        for inner in value.values():
            _read(inner)
    elif not isinstance(value, str | bytes) and hasattr(value, "__iter__"):
        for inner in value:
            _read(inner)


def _check_response_request(body: dict[str, Any]) -> None:
    # What an assistant said has an id and a status in the types, which the server does without.
    items = [
        {"id": "msg_1", "status": "completed", **item} if item.get("role") == "assistant" else item
        for item in body["input"]
    ]
    _drain(_response, {**body, "input": items})


def _check_content(body: dict[str, Any]) -> None:
    for name, value in body.items():
        _CONTENT_FIELDS[name].validate_python(value)


def _check_converse(body: dict[str, Any]) -> None:
    assert complaints(body) == ""


_REQUESTS: Mapping[Dialect, Callable[[dict[str, Any]], None]] = MappingProxyType(
    {
        Dialect.OPENAI: lambda body: _drain(_chat, body),
        Dialect.RESPONSES: _check_response_request,
        Dialect.ANTHROPIC: lambda body: _drain(_message, body),
        Dialect.GEMINI: _check_content,
        Dialect.CONVERSE: _check_converse,
    }
)


def check_request(dialect: Dialect, body: dict[str, Any]) -> None:
    """Fail for a request that the vendor's library would not let its users write."""
    _REQUESTS[dialect](body)


def _check_chat(body: bytes) -> None:
    ChatCompletion.model_validate_json(body, strict=True)


def _check_response(body: bytes) -> None:
    check_whole_response(json.loads(body))


def _check_message(body: bytes) -> None:
    Message.model_validate_json(body, strict=True)


def _check_generated(body: bytes) -> None:
    genai.GenerateContentResponse.model_validate_json(body)


_ANSWERS: Mapping[Dialect, Callable[[bytes], None]] = MappingProxyType(
    {
        Dialect.OPENAI: _check_chat,
        Dialect.RESPONSES: _check_response,
        Dialect.ANTHROPIC: _check_message,
        Dialect.GEMINI: _check_generated,
    }
)


def check_answer(dialect: Dialect, body: bytes) -> None:
    """Fail for an answer that the vendor's library can't read."""
    _ANSWERS[dialect](body)


def _payloads(data: bytes) -> list[bytes]:
    splitter = sse.EventSplitter()
    found = [sse.data_of(event) for event in splitter.feed(data)]
    assert splitter.rest == b""
    return [payload for payload in found if payload is not None]


def _check_chunks(data: bytes) -> None:
    *chunks, done = _payloads(data)
    assert done == b"[DONE]"
    for chunk in chunks:
        ChatCompletionChunk.model_validate_json(chunk, strict=True)


def _check_events(data: bytes) -> None:
    events = [_event.validate_json(payload, strict=True) for payload in _payloads(data)]
    kinds = [event.type for event in events]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    is_open: int | None = None
    for event in events:
        if event.type == "content_block_start":
            assert is_open is None
            is_open = event.index
        elif event.type in {"content_block_delta", "content_block_stop"}:
            assert event.index == is_open
            is_open = is_open if event.type == "content_block_delta" else None


def _check_generated_stream(data: bytes) -> None:
    for payload in _payloads(data):
        genai.GenerateContentResponse.model_validate_json(payload)


_STREAMS: Mapping[Dialect, Callable[[bytes], object]] = MappingProxyType(
    {
        Dialect.OPENAI: _check_chunks,
        Dialect.RESPONSES: check_response_stream,
        Dialect.ANTHROPIC: _check_events,
        Dialect.GEMINI: _check_generated_stream,
    }
)


def check_stream(dialect: Dialect, data: bytes) -> None:
    """Fail for a stream that the vendor's library can't read, or whose events are out of order."""
    _STREAMS[dialect](data)
