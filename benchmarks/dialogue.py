"""A conversation of 10 KB, as clients of each dialect send it: what the cost of translating a request is measured on.

Twenty messages with the instructions, three tools, and two of their calls with results: what an agent sends after
a while.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from benchmarks import workload
from providers.dialects.canonical import Dialect

_INSTRUCTIONS: Final = "You are a careful assistant. " + workload.PARAGRAPH
_WORDS: Final = workload.PARAGRAPH * 2
_MAX_TOKENS: Final = 1024
_NAMES: Final = ("search_notes", "read_note", "send_summary")
_ARGUMENTS: Final = {"query": "minutes of the last meeting", "limit": 5}
_RESULT: Final = "Two notes were found: 0001 of 3 March and 0002 of 10 March. " * 12
_SCHEMA: Final = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "description": "Words that have to stand in the note, or its number."},
        "limit": {"type": "integer", "description": "How many notes are wanted at most.", "minimum": 1},
        "order": {"type": "string", "enum": ["newest", "oldest", "relevance"]},
    },
    "required": ["query"],
}
_TURNS: Final = 15  # and the instructions, and two calls with their results, are twenty messages
_CALLS_AFTER: Final = (5, 11)

Fields = dict[str, object]


def _description(name: str) -> str:
    return f"Use {name.replace('_', ' ')} where the person asks for it, and say so in the answer."


def _openai() -> Fields:
    messages: list[Fields] = [{"role": "system", "content": _INSTRUCTIONS}]
    for turn in range(_TURNS):
        messages.append({"role": "assistant" if turn % 2 else "user", "content": f"{turn}: {_WORDS}"})
        if turn in _CALLS_AFTER:
            function = {"name": _NAMES[0], "arguments": json.dumps(_ARGUMENTS)}
            call = {"id": f"call_{turn}", "type": "function", "function": function}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": f"call_{turn}", "content": _RESULT})
    tools = [
        {"type": "function", "function": {"name": name, "description": _description(name), "parameters": _SCHEMA}}
        for name in _NAMES
    ]
    return {
        "model": workload.ROUTE_MODEL,
        "messages": messages,
        "tools": tools,
        "tool_choice": "auto",
        "temperature": 0.2,
        "max_tokens": _MAX_TOKENS,
    }


def _anthropic() -> Fields:
    messages: list[Fields] = []
    for turn in range(_TURNS):
        words: list[Fields] = [{"type": "text", "text": f"{turn}: {_WORDS}"}]
        messages.append({"role": "assistant" if turn % 2 else "user", "content": words})
        if turn in _CALLS_AFTER:
            words.append({"type": "tool_use", "id": f"toolu_{turn}", "name": _NAMES[0], "input": _ARGUMENTS})
            result = {"type": "tool_result", "tool_use_id": f"toolu_{turn}", "content": _RESULT}
            messages.append({"role": "user", "content": [result]})
            messages.append({"role": "assistant", "content": "I have read both."})
    tools = [{"name": name, "description": _description(name), "input_schema": _SCHEMA} for name in _NAMES]
    return {
        "model": workload.ROUTE_MODEL,
        "max_tokens": _MAX_TOKENS,
        "system": [{"type": "text", "text": _INSTRUCTIONS}],
        "messages": messages,
        "tools": tools,
        "tool_choice": {"type": "auto"},
        "temperature": 0.2,
    }


def _gemini() -> Fields:
    contents: list[Fields] = []
    for turn in range(_TURNS):
        parts: list[Fields] = [{"text": f"{turn}: {_WORDS}"}]
        contents.append({"role": "model" if turn % 2 else "user", "parts": parts})
        if turn in _CALLS_AFTER:
            parts.append({"functionCall": {"name": _NAMES[0], "args": _ARGUMENTS}})
            response = {"name": _NAMES[0], "response": {"output": _RESULT}}
            contents.append({"role": "user", "parts": [{"functionResponse": response}]})
            contents.append({"role": "model", "parts": [{"text": "I have read both."}]})
    declared = [{"name": name, "description": _description(name), "parametersJsonSchema": _SCHEMA} for name in _NAMES]
    return {
        "systemInstruction": {"parts": [{"text": _INSTRUCTIONS}]},
        "contents": contents,
        "tools": [{"functionDeclarations": declared}],
        "generationConfig": {"temperature": 0.2, "maxOutputTokens": _MAX_TOKENS},
    }


def _json(document: Fields) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


DIALOGUES: Mapping[Dialect, bytes] = MappingProxyType(
    {
        Dialect.OPENAI: _json(_openai()),
        Dialect.ANTHROPIC: _json(_anthropic()),
        Dialect.GEMINI: _json(_gemini()),
    }
)
