"""Every client's dialect to every provider's: what is lost of a request is said, and nothing else is lost.

Not a test for each pair: the same cases run through all of them, and one table says what can't be said where.
"""

import re
from typing import Any

import msgspec
import pytest

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Image, Request, Text, ToolCall, ToolResult
from tests.contracts import asking, dialects, vendors

# case, front, backs, what they can't be told that would change the answer, and what that would not.
LOSSES = (
    ("one_call", "openai", "gemini converse", "parallel_tool_calls", ""),
    ("one_call", "responses", "gemini converse", "parallel_tool_calls", ""),
    ("one_call", "anthropic", "gemini converse", "tool_choice.disable_parallel_tool_use", ""),
    ("json", "openai", "anthropic converse", "response_format", ""),
    ("json", "responses", "anthropic converse", "text.format", ""),
    ("json", "gemini", "anthropic converse", "generationConfig.responseMimeType", ""),
    ("stop", "openai", "responses", "stop", ""),
    ("stop", "anthropic", "responses", "stop_sequences", ""),
    ("stop", "gemini", "responses", "generationConfig.stopSequences", ""),
    ("sampling", "openai", "responses", "temperature top_p", ""),
    ("sampling", "responses", "responses", "temperature top_p", ""),
    ("sampling", "anthropic", "openai", "top_k", ""),
    ("sampling", "anthropic", "responses", "temperature top_p top_k", ""),
    ("sampling", "gemini", "openai", "generationConfig.topK", ""),
    ("sampling", "gemini", "responses", "generationConfig.temperature generationConfig.topP generationConfig.topK", ""),
    ("penalties", "openai", "responses anthropic converse", "frequency_penalty presence_penalty", ""),
    (
        "penalties",
        "gemini",
        "responses anthropic converse",
        "generationConfig.frequencyPenalty generationConfig.presencePenalty",
        "",
    ),
    ("reasoning", "openai", "openai", "reasoning_effort", ""),
    ("reasoning", "responses", "openai", "reasoning", ""),
    ("reasoning", "anthropic", "openai", "thinking", ""),
    ("reasoning", "gemini", "openai", "generationConfig.thinkingConfig", ""),
    ("cache", "anthropic", "openai responses gemini", "", "cache_control"),
    ("seed", "openai", "responses anthropic converse", "seed", ""),
    ("seed", "gemini", "responses anthropic converse", "generationConfig.seed", ""),
    ("choices", "openai", "responses anthropic converse", "n", ""),
    ("choices", "gemini", "responses anthropic converse", "generationConfig.candidateCount", ""),
    ("logprobs", "openai", "responses", "top_logprobs logprobs", ""),
    ("logprobs", "openai", "anthropic converse", "logprobs top_logprobs", ""),
    ("logprobs", "responses", "openai gemini", "", "include"),
    ("logprobs", "responses", "responses", "top_logprobs", ""),
    ("logprobs", "responses", "anthropic converse", "logprobs top_logprobs", "include"),
    ("logprobs", "gemini", "responses", "generationConfig.logprobs generationConfig.responseLogprobs", ""),
    ("logprobs", "gemini", "anthropic converse", "generationConfig.responseLogprobs generationConfig.logprobs", ""),
    ("books", "openai", "anthropic", "", "metadata store service_tier prompt_cache_key"),
    ("books", "openai", "gemini converse", "", "user metadata store service_tier prompt_cache_key"),
    ("books", "responses", "openai anthropic gemini converse", "", "metadata store service_tier safety_identifier"),
    ("books", "anthropic", "openai responses", "", "service_tier"),
    ("books", "anthropic", "gemini converse", "", "metadata.user_id service_tier"),
    ("books", "gemini", "openai responses anthropic converse", "", "labels"),
    ("own", "openai", "responses anthropic gemini converse", "logit_bias", ""),
    ("own", "responses", "openai anthropic gemini converse", "truncation max_tool_calls", ""),
    ("own", "anthropic", "openai responses gemini converse", "container mcp_servers", ""),
    ("own", "gemini", "openai responses anthropic converse", "safetySettings", ""),
)
_STATED = (
    *("max_output_tokens", "tools", "tool_choice", "output_format", "stop", "temperature", "top_p", "top_k", "n"),
    *("frequency_penalty", "presence_penalty", "seed", "logprobs", "top_logprobs", "reasoning", "parallel_tool_calls"),
)
# How clients call what the hub names otherwise.
_WORDS = {
    "stop": r"stop",
    "n": r"n\b|.*candidateCount",
    "output_format": r"response_format|text\.format|.*responseMimeType|output_config",
    "reasoning": r"reasoning|thinking|.*thinkingConfig",
    "parallel_tool_calls": r"parallel_tool_calls|tool_choice\.disable_parallel_tool_use",
    "logprobs": r"logprobs|include|.*responseLogprobs",
    "top_logprobs": r"top_logprobs|generationConfig\.logprobs",
}
READ_BACK = [(case, front, back) for case, front, back in asking.pairs() if back in dialects.chat_doors()]


def test_what_can_t_be_said_is_named_and_nothing_else() -> None:
    found: dict[tuple[str, str, str], tuple[str, str]] = {}
    for case, front, back in asking.pairs():
        encoded = asking.told(case, front, back)
        if encoded.unsupported or encoded.ignored:
            found[case, front, back] = (" ".join(encoded.unsupported), " ".join(encoded.ignored))
    expected = {(case, front, back): lost for case, front, backs, *lost in LOSSES for back in backs.split()}
    assert found == {key: tuple(lost) for key, lost in expected.items()}


@pytest.mark.parametrize(("case", "front", "back"), [pair for pair in READ_BACK if pair[1] is not pair[2]])
def test_a_field_that_is_not_named_as_lost_is_there(case: str, front: Dialect, back: Dialect) -> None:
    asked, encoded = asking.request_of(case, front), asking.told(case, front, back)
    read = dialects.front_of(back).decode_request(encoded.body, asking.PATH)
    for name in _STATED:
        given, arrived = getattr(asked, name), getattr(read, name)
        named = any(re.search(_WORDS.get(name, name) + r"|" + _camel(name), lost) for lost in encoded.unsupported)
        if _says(name, given):
            assert _says(name, arrived) is not named, (name, arrived, encoded.unsupported)
        elif name != "max_output_tokens":
            assert not _says(name, arrived), (name, arrived)


@pytest.mark.parametrize(("case", "front", "back"), READ_BACK)
def test_what_was_said_arrives(case: str, front: Dialect, back: Dialect) -> None:
    asked = asking.request_of(case, front)
    read = dialects.front_of(back).decode_request(asking.told(case, front, back).body, asking.PATH)
    assert _content(read) == _content(asked)
    assert [tool.name for tool in _functions(read)] == [tool.name for tool in _functions(asked)]
    assert [_json(tool.parameters) for tool in _functions(read)] == [
        _json(tool.parameters) for tool in _functions(asked)
    ]


@pytest.mark.parametrize(("case", "front", "back"), asking.pairs())
def test_a_request_is_one_of_the_vendor_s(case: str, front: Dialect, back: Dialect) -> None:
    body = msgspec.json.decode(asking.told(case, front, back).body)
    vendors.check_request(back, body)


def _says(name: str, value: Any) -> bool:
    if name == "tool_choice":
        return value is not None and value.mode != "auto"
    if name == "output_format":
        return value is not None and value.kind != "text"
    if name == "parallel_tool_calls":
        return value is False
    if name in {"n", "logprobs"}:
        return value not in (None, 1, False) if name == "n" else bool(value)
    return value is not None and value != ()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _content(request: Request) -> list[tuple[str, Any]]:
    """Return what is said by whom, whichever way it is cut into messages."""
    found: list[tuple[str, Any]] = []
    for message in request.messages:
        role = "system" if message.role == "developer" else message.role
        for part in message.parts:
            match part:
                case Text():
                    found += [(role, text) for text in part.text.split("\n\n")]
                case Image():
                    found.append((role, part.source.data))
                case ToolCall():
                    found.append((role, (part.id, part.name, _json(part.arguments))))
                case ToolResult():
                    found.append(
                        (role, (part.call_id, [inner.text for inner in part.parts if isinstance(inner, Text)]))
                    )
                case _:
                    found.append((role, part))
    return found


def _functions(request: Request) -> list[Any]:
    return list(request.tools)


def _json(text: Any) -> Any:
    return None if text is None else msgspec.json.decode(text)
