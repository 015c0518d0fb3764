"""The same things asked in the words of every client's dialect, and a model of every provider's to ask them of."""

import json
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from providers.capabilities import capabilities_of
from providers.dialects.canonical import Dialect
from providers.dialects.codec import Encoded, PathFacts, Upstream
from providers.dialects.conversation import Request
from tests.contracts import dialects

PNG = b64encode(b"\x89PNG\r\n\x1a\n").decode()
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
ARGUMENTS = {"city": "Oslo"}, {"city": "Rome"}
PATH = PathFacts(model="m")

# What is asked of each dialect's providers, and the name of their kind.
MODELS: Mapping[Dialect, tuple[str, str]] = MappingProxyType(
    {
        Dialect.OPENAI: ("openai", "gpt-4.1"),
        Dialect.RESPONSES: ("openai", "gpt-5.1"),
        Dialect.ANTHROPIC: ("anthropic", "claude-sonnet-4-5"),
        Dialect.GEMINI: ("gemini", "gemini-2.5-flash"),
        Dialect.CONVERSE: ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    }
)


def _chat(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages) or [{"role": "user", "content": "Hello."}], **fields}


def _response(*items: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "input": list(items) or "Hello.", **fields}


def _message(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {**_chat(*messages), "max_tokens": 4096, **fields}


def _content(*contents: Any, **fields: Any) -> dict[str, Any]:
    return {"contents": list(contents) or [{"role": "user", "parts": [{"text": "Hello."}]}], **fields}


def _configured(**config: Any) -> dict[str, Any]:
    return _content(generationConfig=config)


def _user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


_FUNCTION = {"name": "weather", "description": "Tells it.", "parameters": SCHEMA}
_CHAT_TOOLS = [{"type": "function", "function": _FUNCTION}]
_RESPONSE_TOOLS = [{"type": "function", **_FUNCTION}]
_MESSAGE_TOOLS = [{"name": "weather", "description": "Tells it.", "input_schema": SCHEMA}]
_GEMINI_TOOLS = [{"functionDeclarations": [{**_FUNCTION, "parametersJsonSchema": SCHEMA}]}]
del _GEMINI_TOOLS[0]["functionDeclarations"][0]["parameters"]
_CALLS = tuple(zip(("call_a", "call_b"), ARGUMENTS, ("rain", "sun"), strict=True))

_TOOLS = {
    Dialect.OPENAI: _chat(
        _user("Weather?"),
        {
            "role": "assistant",
            "content": "Looking.",
            "tool_calls": [
                {"id": call, "type": "function", "function": {"name": "weather", "arguments": json.dumps(arguments)}}
                for call, arguments, _ in _CALLS
            ],
        },
        *({"role": "tool", "tool_call_id": call, "content": told} for call, _, told in _CALLS),
        tools=_CHAT_TOOLS,
    ),
    Dialect.RESPONSES: _response(
        _user("Weather?"),
        {"role": "assistant", "content": "Looking."},
        *(
            {"type": "function_call", "call_id": call, "name": "weather", "arguments": json.dumps(arguments)}
            for call, arguments, _ in _CALLS
        ),
        *({"type": "function_call_output", "call_id": call, "output": told} for call, _, told in _CALLS),
        tools=_RESPONSE_TOOLS,
    ),
    Dialect.ANTHROPIC: _message(
        _user("Weather?"),
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Looking."},
                *(
                    {"type": "tool_use", "id": call, "name": "weather", "input": arguments}
                    for call, arguments, _ in _CALLS
                ),
            ],
        },
        _user([{"type": "tool_result", "tool_use_id": call, "content": told} for call, _, told in _CALLS]),
        tools=_MESSAGE_TOOLS,
    ),
    Dialect.GEMINI: _content(
        {"role": "user", "parts": [{"text": "Weather?"}]},
        {
            "role": "model",
            "parts": [
                {"text": "Looking."},
                *(
                    {"functionCall": {"id": call, "name": "weather", "args": arguments}}
                    for call, arguments, _ in _CALLS
                ),
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": call, "name": "weather", "response": {"output": told}}}
                for call, _, told in _CALLS
            ],
        },
        tools=_GEMINI_TOOLS,
    ),
}

# What a dialect has no words for is not asked in it.
CASES: Mapping[str, Mapping[Dialect, dict[str, Any]]] = MappingProxyType(
    {
        "text": {
            Dialect.OPENAI: _chat(max_completion_tokens=50),
            Dialect.RESPONSES: _response(max_output_tokens=50),
            Dialect.ANTHROPIC: _message(max_tokens=50),
            Dialect.GEMINI: _configured(maxOutputTokens=50),
        },
        "system": {
            Dialect.OPENAI: _chat(
                {"role": "system", "content": "Be brief."},
                {"role": "developer", "content": "Be kind."},
                _user("Hello."),
            ),
            Dialect.RESPONSES: _response(
                {"role": "developer", "content": "Be kind."}, _user("Hello."), instructions="Be brief."
            ),
            Dialect.ANTHROPIC: _message(
                system=[{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}]
            ),
            Dialect.GEMINI: _content(systemInstruction={"parts": [{"text": "Be brief."}, {"text": "Be kind."}]}),
        },
        "picture": {
            Dialect.OPENAI: _chat(
                _user(
                    [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                    ]
                )
            ),
            Dialect.RESPONSES: _response(
                _user(
                    [
                        {"type": "input_text", "text": "What is it?"},
                        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
                    ]
                )
            ),
            Dialect.ANTHROPIC: _message(
                _user(
                    [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                    ]
                )
            ),
            Dialect.GEMINI: _content(
                {
                    "role": "user",
                    "parts": [{"text": "What is it?"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}],
                }
            ),
        },
        "tools": _TOOLS,
        "tool_choice": {
            Dialect.OPENAI: _chat(tools=_CHAT_TOOLS, tool_choice={"type": "function", "function": {"name": "weather"}}),
            Dialect.RESPONSES: _response(tools=_RESPONSE_TOOLS, tool_choice={"type": "function", "name": "weather"}),
            Dialect.ANTHROPIC: _message(tools=_MESSAGE_TOOLS, tool_choice={"type": "tool", "name": "weather"}),
            Dialect.GEMINI: _content(
                tools=_GEMINI_TOOLS,
                toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
            ),
        },
        "required": {
            Dialect.OPENAI: _chat(tools=_CHAT_TOOLS, tool_choice="required"),
            Dialect.RESPONSES: _response(tools=_RESPONSE_TOOLS, tool_choice="required"),
            Dialect.ANTHROPIC: _message(tools=_MESSAGE_TOOLS, tool_choice={"type": "any"}),
            Dialect.GEMINI: _content(tools=_GEMINI_TOOLS, toolConfig={"functionCallingConfig": {"mode": "ANY"}}),
        },
        "one_call": {
            Dialect.OPENAI: _chat(tools=_CHAT_TOOLS, parallel_tool_calls=False),
            Dialect.RESPONSES: _response(tools=_RESPONSE_TOOLS, parallel_tool_calls=False),
            Dialect.ANTHROPIC: _message(
                tools=_MESSAGE_TOOLS, tool_choice={"type": "auto", "disable_parallel_tool_use": True}
            ),
        },
        "schema": {
            Dialect.OPENAI: _chat(
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "town", "schema": SCHEMA, "strict": True},
                }
            ),
            Dialect.RESPONSES: _response(
                text={"format": {"type": "json_schema", "name": "town", "schema": SCHEMA, "strict": True}}
            ),
            Dialect.ANTHROPIC: _message(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
            Dialect.GEMINI: _configured(responseMimeType="application/json", responseJsonSchema=SCHEMA),
        },
        "json": {
            Dialect.OPENAI: _chat(response_format={"type": "json_object"}),
            Dialect.RESPONSES: _response(text={"format": {"type": "json_object"}}),
            Dialect.GEMINI: _configured(responseMimeType="application/json"),
        },
        "stop": {
            Dialect.OPENAI: _chat(stop=["END", "."]),
            Dialect.ANTHROPIC: _message(stop_sequences=["END", "."]),
            Dialect.GEMINI: _configured(stopSequences=["END", "."]),
        },
        "sampling": {
            Dialect.OPENAI: _chat(temperature=0.5, top_p=0.9),
            Dialect.RESPONSES: _response(temperature=0.5, top_p=0.9),
            Dialect.ANTHROPIC: _message(temperature=0.5, top_p=0.9, top_k=40),
            Dialect.GEMINI: _configured(temperature=0.5, topP=0.9, topK=40),
        },
        "penalties": {
            Dialect.OPENAI: _chat(frequency_penalty=0.5, presence_penalty=0.25),
            Dialect.GEMINI: _configured(frequencyPenalty=0.5, presencePenalty=0.25),
        },
        "reasoning": {
            Dialect.OPENAI: _chat(reasoning_effort="low"),
            Dialect.RESPONSES: _response(reasoning={"effort": "low", "summary": "auto"}),
            Dialect.ANTHROPIC: _message(thinking={"type": "enabled", "budget_tokens": 2048}),
            Dialect.GEMINI: _configured(thinkingConfig={"thinkingBudget": 2048, "includeThoughts": True}),
        },
        "cache": {
            Dialect.ANTHROPIC: _message(
                system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
            ),
        },
        "seed": {
            Dialect.OPENAI: _chat(seed=7),
            Dialect.GEMINI: _configured(seed=7),
        },
        "choices": {
            Dialect.OPENAI: _chat(n=2),
            Dialect.GEMINI: _configured(candidateCount=2),
        },
        "logprobs": {
            Dialect.OPENAI: _chat(logprobs=True, top_logprobs=2),
            Dialect.RESPONSES: _response(include=["message.output_text.logprobs"], top_logprobs=2),
            Dialect.GEMINI: _configured(responseLogprobs=True, logprobs=2),
        },
        "books": {
            Dialect.OPENAI: _chat(
                user="u-1", metadata={"team": "a"}, store=False, service_tier="default", prompt_cache_key="k"
            ),
            Dialect.RESPONSES: _response(
                metadata={"team": "a"}, store=False, service_tier="default", safety_identifier="s"
            ),
            Dialect.ANTHROPIC: _message(metadata={"user_id": "u-1"}, service_tier="auto"),
            Dialect.GEMINI: _content(labels={"team": "a"}),
        },
        "own": {
            Dialect.OPENAI: _chat(logit_bias={"50256": -100}, web_search_options={}),
            Dialect.RESPONSES: _response(truncation="auto", max_tool_calls=3),
            Dialect.ANTHROPIC: _message(container="c", mcp_servers=[{"type": "url", "url": "https://a", "name": "n"}]),
            Dialect.GEMINI: _content(safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]),
        },
    }
)


def body_of(case: str, front: Dialect) -> bytes:
    """Return the body of a case as its client writes it."""
    return json.dumps(CASES[case][front]).encode()


def request_of(case: str, front: Dialect) -> Request:
    """Return a case as a front reads it."""
    return dialects.front_of(front).decode_request(body_of(case, front), PATH)


def upstream_of(back: Dialect) -> Upstream:
    """Return what a request to a dialect's provider is written for."""
    kind, model = MODELS[back]
    return Upstream(model, capabilities_of(kind, model))


def told(case: str, front: Dialect, back: Dialect) -> Encoded:
    """Return a case as a provider gets it."""
    return dialects.chat_backs()[back].encode_request(request_of(case, front), upstream_of(back))


def pairs() -> list[tuple[str, Dialect, Dialect]]:
    """Return every case, asked at every front that has words for it, of every provider."""
    return [(case, front, back) for case, asked in CASES.items() for front in asked for back in dialects.chat_backs()]
