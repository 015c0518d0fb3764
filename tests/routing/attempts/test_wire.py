"""The way to a target and back: passed where both sides speak alike, else translated, and what is lost is said."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from kernel.errors import InvalidRequest, UpstreamRefused
from providers.dialects import doors
from providers.dialects.canonical import Dialect, Operation
from providers.dialects.door import Door
from routing.attempts.wire import Said, Wire, lay
from routing.snapshot import Target
from tests.builders import connection, route, said, target

MESSAGES = [{"role": "user", "content": "hi"}]


def to(kind: str, model: str = "x", **options: str) -> Target:
    return target("p", model, connection=connection("p", kind), options=options)


def way(where: Target, door: Door = doors.CHAT, body: dict[str, Any] | None = None, **policy: Any) -> Wire:
    asked = msgspec.json.encode({"model": "m", "messages": MESSAGES, **(body or {})})
    heard: Said = said(door, body=asked, stream=bool((body or {}).get("stream")))
    return lay(heard, replace(route((where,)), **policy), where, cap=None, once=False)


def test_alike_bytes_pass() -> None:
    wire = way(to("openai"), body={"strange": [1.0]})
    assert wire.back is None
    assert msgspec.json.decode(wire.body) == {"model": "x", "messages": MESSAGES, "strange": [1.0]}
    answer = b'{"choices":[{"finish_reason":"stop"}],"odd":1}'
    body, facts = wire.finish(answer)
    assert body is answer
    assert facts.finish_reason == "stop"


def test_unlike_is_translated_both_ways() -> None:
    wire = way(to("anthropic", "claude-opus-4-5"), body={"max_tokens": 7})
    assert (wire.dialect, wire.operation) == (Dialect.ANTHROPIC, Operation.CHAT)
    sent = msgspec.json.decode(wire.body)
    assert (sent["model"], sent["max_tokens"]) == ("claude-opus-4-5", 7)
    answer = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "c",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 3, "output_tokens": 7},
    }
    body, facts = wire.finish(msgspec.json.encode(answer))
    told = msgspec.json.decode(body)
    assert (told["choices"][0]["message"]["content"], told["choices"][0]["finish_reason"]) == ("hello", "length")
    assert facts.usage is not None
    assert (facts.usage.input_tokens, facts.usage.output_tokens) == (3, 7)


def test_a_legacy_completion_becomes_a_conversation_where_there_is_no_other_way() -> None:
    heard = said(doors.COMPLETIONS, body=b'{"model":"m","prompt":"once","max_tokens":5}')
    where = to("anthropic", "claude-opus-4-5")
    wire = lay(heard, route((where,)), where, cap=None, once=False)
    assert wire.operation is Operation.CHAT
    assert msgspec.json.decode(wire.body)["messages"][0]["content"] in ("once", [{"type": "text", "text": "once"}])


def test_what_would_change_the_answer_is_refused_or_dropped_by_the_routes_policy() -> None:
    where = to("anthropic", "claude-opus-4-5")
    with pytest.raises(InvalidRequest) as caught:
        way(where, body={"seed": 5, "user": "u", "max_tokens": 9})
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "seed")
    assert "seed" in way(where, body={"seed": 5, "max_tokens": 9}, drop_params=True).lost


def test_a_spelling_that_lacks_a_field_says_so_though_bytes_pass() -> None:
    where = to("mistral")
    with pytest.raises(InvalidRequest) as caught:
        way(where, body={"logit_bias": {"1": 1}})
    assert caught.value.param == "logit_bias"
    wire = way(where, body={"logit_bias": {"1": 1}, "user": "u", "seed": 5}, drop_params=True)
    assert (wire.back, set(wire.lost)) == (None, {"logit_bias", "user"})
    assert msgspec.json.decode(wire.body)["random_seed"] == 5


@pytest.mark.parametrize("door", [doors.EMBEDDINGS, doors.SPEECH, doors.IMAGES])
def test_what_a_provider_does_not_do_is_said(door: Door) -> None:
    with pytest.raises(InvalidRequest) as caught:
        way(to("anthropic", "claude-opus-4-5"), door, {"input": "x", "prompt": "x"})
    assert (caught.value.code, caught.value.param) == ("unsupported_operation", "model")


def test_a_refusal_in_foreign_words_is_not_passed_on() -> None:
    refused = UpstreamRefused("no", status=400, code="c", retryable=False, body=b"{}")
    assert way(to("openai")).own_words(refused).body == b"{}"
    assert way(to("anthropic", "claude-opus-4-5"), body={"max_tokens": 9}).own_words(refused).body is None
