"""A plain completion's prompt is what the user says."""

import json
from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.conversation import Message, Text
from providers.dialects.openai_chat.prompting import decode_prompt
from tests.providers.dialects.openai_chat import cassettes


def _body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "prompt": "x"} | fields).encode()


def test_a_recorded_request() -> None:
    request = decode_prompt(cassettes.read_request("completion.json"))
    assert request.messages == (Message("user", (Text("Say hi"),)),)
    assert request.max_output_tokens == 5


def test_a_list_of_one_is_one() -> None:
    assert decode_prompt(_body(prompt=["x"])).messages == (Message("user", (Text("x"),)),)


def test_tokens_and_what_no_chat_has_are_kept_beside() -> None:
    request = decode_prompt(_body(logprobs=3, suffix="s", stop="END"))
    assert (request.logprobs, request.top_logprobs, request.stop) == (True, 3, ("END",))
    assert set(request.extras) == {"suffix"}


@pytest.mark.parametrize("prompt", [["x", "y"], [1, 2], [[1, 2]], []])
def test_prompts_that_no_conversation_holds_are_refused(prompt: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_prompt(_body(prompt=prompt))
    assert (caught.value.code, caught.value.param) == ("unsupported_content", "prompt")


def test_a_wrong_field_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_prompt(_body(logprobs="all"))
    assert caught.value.param == "logprobs"
