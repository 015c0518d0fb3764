"""Whole answers: what is none is told apart, what is odd still passes."""

import json
from typing import Any

import pytest

from kernel.errors import UpstreamBroken
from providers.dialects.codec import Asked, Facts
from providers.dialects.conversation import Answer, Choice, Finish, Text
from providers.dialects.openai_responses.response import decode_answer, encode_answer, read_facts
from tests.providers.dialects.openai_responses import cassettes
from tests.providers.dialects.openai_responses.answers import ASKED
from tests.providers.dialects.openai_responses.official import check_response


def _body(**fields: Any) -> bytes:
    return json.dumps({"id": "r", "model": "m", "status": "completed", "output": [], **fields}).encode()


@pytest.mark.parametrize("body", [b"", b" ", b"<html>", b"[]", b"7", b'{"output":', b"{}", b'{"output":[{]}', b"\xff"])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        decode_answer(body)
    with pytest.raises(UpstreamBroken):
        read_facts(body)


def test_items_of_a_wrong_form_are_no_answer_but_pass() -> None:
    body = _body(output=[{"type": "function_call"}])
    with pytest.raises(UpstreamBroken):
        decode_answer(body)
    assert read_facts(body) == Facts(output_bytes=len(body))
    assert read_facts(_body(output=7)).output_bytes > 0


def test_a_failed_response_is_an_error_where_it_is_translated() -> None:
    with pytest.raises(UpstreamBroken) as caught:
        decode_answer(cassettes.response_of("failed"))
    assert caught.value.code == "server_error"
    assert read_facts(cassettes.response_of("failed")).finish_reason == "error"


def test_facts_of_an_answer_that_reports_no_usage() -> None:
    assert read_facts(cassettes.response_of("tools")).finish_reason == "tool_calls"
    output = [{"type": "message", "content": [{"type": "output_text", "text": "h\u00e9"}]}]
    assert read_facts(_body(output=output)) == Facts(finish_reason="stop", output_bytes=3)


def test_probabilities_are_gathered() -> None:
    token = {"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}
    content = [{"type": "output_text", "text": "a", "logprobs": [token]}] * 2
    [choice] = decode_answer(_body(output=[{"type": "message", "content": content}])).choices
    assert choice.logprobs is not None
    assert json.loads(bytes(choice.logprobs)) == [token, token]
    written = json.loads(encode_answer(Answer((choice,)), ASKED))
    assert len(written["output"][0]["content"][0]["logprobs"]) == 2


def test_the_id_is_the_gateway_s_and_the_model_the_provider_s() -> None:
    written = json.loads(
        encode_answer(Answer((Choice((Text("a"),), Finish.STOP),), id="chatcmpl-1", model="served"), ASKED)
    )
    assert (written["id"], written["model"], written["created_at"]) == ("resp_1", "served", 9)
    empty = check_response(json.loads(encode_answer(Answer(()), ASKED)))
    assert (empty.model, empty.output, empty.usage) == ("m", [], None)


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        (Finish.STOP, "completed", None),
        (Finish.CONTEXT, "incomplete", "max_output_tokens"),
        (Finish.CONTENT_FILTER, "incomplete", "content_filter"),
        (Finish.ERROR, "failed", None),
    ],
)
def test_the_status_says_why_it_ended(finish: Finish, status: str, reason: str | None) -> None:
    response = check_response(json.loads(encode_answer(Answer((Choice((Text("a"),), finish),)), ASKED)))
    assert response.status == status
    assert (response.incomplete_details.reason if response.incomplete_details else None) == reason
    assert (response.error is not None) == (status == "failed")


def test_the_request_is_echoed() -> None:
    body = json.dumps(
        {
            "model": "m",
            "input": "x",
            "instructions": "Be brief.",
            "temperature": 0.25,
            "top_p": None,
            "max_output_tokens": 99,
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
            "tool_choice": {"type": "function", "name": "f"},
            "text": {"verbosity": "low"},
            "reasoning": {"effort": "high", "summary": None},
            "metadata": {"a": "b"},
            "store": False,
            "user": "u-1",
            "previous_response_id": "resp_0",
        }
    ).encode()
    asked = Asked(head=ASKED.head, body=body, model="m", answer_id="resp_1", created_at_s=9)
    fields = json.loads(encode_answer(Answer((), service_tier="standard"), asked))
    check_response(fields)
    assert (fields["instructions"], fields["temperature"], fields["top_p"]) == ("Be brief.", 0.25, 1.0)
    assert fields["tools"][0]["strict"] is None
    assert fields["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert fields["reasoning"] == {"effort": "high", "summary": None}
    assert (fields["store"], fields["user"], fields["previous_response_id"]) == (False, "u-1", "resp_0")
    assert (fields["service_tier"], fields["max_output_tokens"]) == ("default", 99)
