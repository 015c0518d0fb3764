"""A compaction passes, with its usage read on the way."""

import json

import pytest

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.canonical import Capabilities, Usage
from providers.dialects.codec import Upstream
from providers.dialects.openai_responses.asking import decode_request
from providers.dialects.openai_responses.codec import COMPACT_THROUGH
from providers.dialects.openai_responses.compaction import compacted, summary_request
from providers.dialects.openai_responses.request import decode_head, patch

BODY = b'{"model":"a","input":[{"role":"user","content":"x"}]}'


def test_its_usage_is_read() -> None:
    item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAA"}
    answer = {"object": "response.compaction", "output": [item], "usage": {"input_tokens": 9, "output_tokens": 3}}
    facts = COMPACT_THROUGH.read_facts(json.dumps(answer).encode())
    assert facts.usage == Usage(input_tokens=9, output_tokens=3)
    assert facts.output_bytes > 0


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"output":7}'])
def test_what_is_no_compaction(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        COMPACT_THROUGH.read_facts(body)


def test_only_the_model_is_patched() -> None:
    upstream = Upstream(model="b", capabilities=Capabilities(), cap=5)
    patched = json.loads(COMPACT_THROUGH.patch(BODY, upstream, head=decode_head(BODY), once=False))
    assert patched == json.loads(BODY) | {"model": "b"}


def _summarised(*texts: str) -> bytes:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    output = [{"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": content}]
    usage = {"input_tokens": 9, "output_tokens": 3}
    return json.dumps({"id": "resp_1", "created_at": 7, "output": output, "usage": usage}).encode()


def test_a_summary_is_asked_for_after_the_conversation() -> None:
    body = b'{"model":"a","input":"x","instructions":"i","stream":true,"tools":[],"max_cost_usd":1}'
    asked = json.loads(summary_request(body))
    assert asked.keys() == {"model", "input", "instructions", "max_cost_usd", "store"}
    assert asked["store"] is False
    assert asked["input"][0]["content"][0]["text"] == "x"
    assert "Summarise" in asked["input"][1]["content"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"model":"a","input":7}'])
def test_what_can_not_be_summed_up(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        summary_request(body)


def test_a_summary_is_a_message_later_wherever_it_goes() -> None:
    answer = json.loads(compacted(_summarised("one, ", "two")))
    assert (answer["object"], answer["created_at"], answer["usage"]["input_tokens"]) == ("response.compaction", 7, 9)
    body = json.dumps({"model": "a", "input": answer["output"]}).encode()
    [message] = decode_request(body).messages
    assert message.role == "user"
    [item] = json.loads(patch(body, model=None, output_cap=None, once=False))["input"]
    assert (item["role"], item["content"][-8:]) == ("user", "one, two")


@pytest.mark.parametrize(
    "body", [b"", b"{}", _summarised(), _summarised(" "), b'{"id":"r","created_at":1,"output":[7]}']
)
def test_no_summary_is_no_compaction(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        compacted(body)


def test_another_vendors_compaction_stays_as_it_is() -> None:
    item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAA"}
    body = json.dumps({"model": "a", "input": [item]}).encode()
    assert patch(body, model=None, output_cap=None, once=False) is body
