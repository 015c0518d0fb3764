import json

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.gemini_generate.casing import to_camel


def test_a_body_in_camel_case_stays_the_same_object() -> None:
    body = b'{"contents":[{"parts":[{"text":"mime_type: system_instruction"}]}]}'
    assert to_camel(body) is body


def test_fields_are_renamed_and_the_client_s_own_json_is_not() -> None:
    body = {
        "system_instruction": {"parts": {"text": 'be "mime_type": brief'}},
        "contents": {"parts": {"inline_data": {"mime_type": "image/png", "data": "aGk="}}},
        "tools": [{"function_declarations": {"name": "f", "parameters": {"properties": {"mime_type": {}}}}}],
        "generation_config": {"thinking_config": {"thinking_budget": 1}, "stop_sequences": "x"},
        "tool_config": {"function_calling_config": {"allowed_function_names": ["a_b"]}},
    }
    assert json.loads(to_camel(json.dumps(body).encode())) == {
        "systemInstruction": {"parts": [{"text": 'be "mime_type": brief'}]},
        "contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"properties": {"mime_type": {}}}}]}],
        "generationConfig": {"thinkingConfig": {"thinkingBudget": 1}, "stopSequences": ["x"]},
        "toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["a_b"]}},
    }


def test_arguments_and_results_keep_their_bytes() -> None:
    body = b'{"contents":[{"parts":[{"function_call":{"name":"f","args":{ "mime_type": 1.0e2 }}}]}]}'
    assert b'"args":{ "mime_type": 1.0e2 }' in to_camel(body)


def test_one_thing_in_both_spellings_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="twice"):
        to_camel(b'{"contents":[],"systemInstruction":{},"system_instruction":{}}')
