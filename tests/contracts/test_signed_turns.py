"""A model that thinks and calls tools, talked to in another vendor's words: what it signed comes back to it as it was.

The model answers with a signed thought and a tool call, the client sends the answer back with the tool's result, and
what the provider gets has the assistant's turn as the provider wrote it.
"""

import json
from typing import Any

import pytest

from providers.dialects.canonical import Dialect, Operation
from providers.dialects.conversation import Answer
from providers.dialects.table import BACKS
from tests.contracts import asking, dialects
from tests.contracts.test_translated_answers import asked_at
from tests.providers.dialects.streams import assemble, decode_all

FRONTS = list(dialects.chat_doors())
ARGUMENTS = {"city": "Oslo"}
_DETAILS = ("text", "signature", "data")
GO_ON = {"role": "user", "content": "Go on."}
SIGNATURE = "c2lnbmVkIGJ5IHRoZSB2ZW5kb3I="

MESSAGE = [
    {"type": "thinking", "thinking": "It may rain.", "signature": SIGNATURE},
    {"type": "redacted_thinking", "data": "c2VjcmV0"},
    {"type": "text", "text": "Looking."},
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": ARGUMENTS},
]
CONTENT = [
    {"text": "It may rain.", "thought": True},
    {"text": "Looking."},
    {
        "functionCall": {"id": "call-1", "name": "weather", "args": ARGUMENTS},
        "thoughtSignature": SIGNATURE,
    },
    {"functionCall": {"id": "call-2", "name": "weather", "args": ARGUMENTS}},
]
CONVERSED = [
    {"reasoningContent": {"reasoningText": {"text": "It may rain.", "signature": SIGNATURE}}},
    {"text": "Looking."},
    {"toolUse": {"toolUseId": "tooluse_1", "name": "weather", "input": ARGUMENTS}},
]
OUTPUT: list[dict[str, Any]] = [
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "It may rain."}],
        "encrypted_content": SIGNATURE,
    },
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "weather",
        "arguments": json.dumps(ARGUMENTS),
        "status": "completed",
    },
]
DETAILED: dict[str, Any] = {
    "role": "assistant",
    "content": "Looking.",
    "reasoning_details": [
        {"type": "reasoning.text", "text": "It may rain.", "signature": SIGNATURE, "format": "anthropic-claude-v1"}
    ],
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)}}
    ],
}

# The provider's whole answer, and where the assistant's turn has to stand in its next request.
ANSWERS: dict[Dialect, dict[str, Any]] = {
    Dialect.ANTHROPIC: {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": MESSAGE,
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
    Dialect.GEMINI: {
        "candidates": [{"content": {"role": "model", "parts": CONTENT}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1},
        "responseId": "r-1",
    },
    Dialect.CONVERSE: {
        "output": {"message": {"role": "assistant", "content": CONVERSED}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    },
    Dialect.RESPONSES: {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt", "output": OUTPUT},
    Dialect.OPENAI: {"id": "c-1", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": DETAILED}]},
}


def turn_in(back: Dialect, body: dict[str, Any]) -> Any:
    """Return the assistant's turn in a request to a provider."""
    if back is Dialect.GEMINI:
        (turn,) = [content["parts"] for content in body["contents"] if content["role"] == "model"]
        return turn
    if back is Dialect.RESPONSES:
        return [_stateless(item) for item in body["input"] if item["type"] in {"reasoning", "function_call"}]
    (said,) = [message for message in body["messages"] if message["role"] == "assistant"]
    if back is Dialect.OPENAI:
        details = [[detail.get(name) for name in _DETAILS] for detail in said["reasoning_details"]]
        return details, said.get("tool_calls")
    return said["content"]


def _stateless(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item without what only a server that keeps it knows it by."""
    return {name: value for name, value in item.items() if name not in {"id", "status"}}


def going_on(front: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the next request as the client writes it, who sends back what it was answered with the tool's result."""
    asked: dict[str, Any] = asking.CASES["one_call" if front != "gemini" else "required"][Dialect(front)]
    if front == "openai":
        said = answer["choices"][0]["message"]
        results = [
            {"role": "tool", "tool_call_id": call["id"], "content": "rain"} for call in said.get("tool_calls", ())
        ]
        return {**asked, "messages": [*asked["messages"], said, *results, GO_ON]}
    if front == "responses":
        calls = [item for item in answer["output"] if item["type"] == "function_call"]
        outputs = [{"type": "function_call_output", "call_id": call["call_id"], "output": "rain"} for call in calls]
        return {**asked, "input": [{"role": "user", "content": "Hello."}, *answer["output"], *outputs, GO_ON]}
    if front == "anthropic":
        uses = [block for block in answer["content"] if block["type"] == "tool_use"]
        told = [{"type": "tool_result", "tool_use_id": use["id"], "content": "rain"} for use in uses]
        said = {"role": "assistant", "content": answer["content"]}
        told.append({"type": "text", "text": "Go on."})
        return {**asked, "messages": [*asked["messages"], said, {"role": "user", "content": told}]}
    said = answer["candidates"][0]["content"]
    made = [part["functionCall"] for part in said["parts"] if "functionCall" in part]
    responses = [
        {"functionResponse": {"id": call["id"], "name": call["name"], "response": {"output": "rain"}}} for call in made
    ]
    return {
        **asked,
        "contents": [*asked["contents"], said, {"role": "user", "parts": [*responses, {"text": "Go on."}]}],
    }


def come_back(answer: Answer, front: str, back: Dialect) -> Any:
    """Return the assistant's turn as the provider gets it back."""
    spoken = dialects.front_of(front)
    written = json.loads(spoken.encode_answer(answer, asked_at(front, stream=False)))
    body = json.dumps(going_on(front, written)).encode()
    encoded = BACKS[back, Operation.CHAT].encode_request(
        spoken.decode_request(body, asking.PATH), asking.upstream_of(back)
    )
    return turn_in(back, json.loads(encoded.body))


def expected_of(back: Dialect) -> Any:
    """Return the turn as the provider wrote it."""
    return {
        Dialect.ANTHROPIC: MESSAGE,
        Dialect.GEMINI: CONTENT,
        Dialect.CONVERSE: CONVERSED,
        Dialect.RESPONSES: [_stateless(item) for item in OUTPUT],
        Dialect.OPENAI: ([["It may rain.", SIGNATURE, None]], DETAILED["tool_calls"]),
    }[back]


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("back", ANSWERS)
def test_a_whole_answer_comes_back_as_it_was_signed(front: str, back: Dialect) -> None:
    answer = BACKS[back, Operation.CHAT].decode_answer(json.dumps(ANSWERS[back]).encode())
    assert come_back(answer, front, back) == expected_of(back)


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("back", ANSWERS)
def test_a_streamed_answer_comes_back_as_it_was_signed(front: str, back: Dialect) -> None:
    """The client puts the stream together as the whole answer would have been."""
    (recorded,) = [one for one in dialects.streams() if one.dialect is back and one.path.stem == "reasoning"]
    told = assemble(decode_all(dialects.back_of(recorded).decoder(), [dialects.stream_of(recorded)]))
    encoder = dialects.front_of(front).encoder(asked_at(front, stream=True), lambda usage: None)
    decoder = BACKS[back, Operation.CHAT].decoder()
    data = dialects.stream_of(recorded)
    stream = encoder.encode(decoder.feed(data)) + encoder.encode(decoder.end())
    read = assemble(decode_all(BACKS[Dialect(front), Operation.CHAT].decoder(), [stream]))
    kept = json.dumps(come_back(read, front, back))
    for part in told.choices[0].parts:
        for secret in (getattr(part, "signature", ""), getattr(part, "redacted", "")):
            assert secret in kept
