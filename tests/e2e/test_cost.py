"""One call, one cost: the header, the stream's last chunk, the usage endpoint and the database all say the same."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.services.gateway import Gateway

pytestmark = pytest.mark.e2e
TEXT = "[[mock tokens=1234]] What does it cost?"
INPUT_TOKENS = 10  # 39 bytes at four a token
NANOS = INPUT_TOKENS * 300 + 1234 * 1200  # $0.30 and $1.20 a million


def cost_of_stream(text: str) -> tuple[Decimal, dict[str, Any]]:
    [last] = [
        json.loads(line[6:], parse_float=Decimal)
        for line in text.splitlines()
        if line.startswith("data: {") and '"choices":[]' in line
    ]
    return Decimal(last["usage"]["cost"]), last["usage"]


def test_streamed_and_whole_cost_the_same_everywhere(either: Gateway) -> None:
    whole = either.chat(TEXT, model="remote")
    streamed = either.chat(TEXT, model="remote", stream=True, stream_options={"include_usage": True})
    unasked = either.chat(TEXT, model="remote", stream=True)
    usd = Decimal(whole.headers["x-gateway-cost-usd"])
    assert usd == Decimal(NANOS).scaleb(-9)
    stream_usd, usage = cost_of_stream(streamed.text)
    assert stream_usd == usd
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (INPUT_TOKENS, 1234)
    for answer in (whole, streamed, unasked):
        request_id = answer.headers["x-request-id"]
        told = either.usage(request_id)
        assert (told["cost_nanos"], Decimal(told["cost_usd"])) == (NANOS, usd)
        [attempt] = told["attempts"]
        assert attempt["usage"] == {
            "input_tokens": INPUT_TOKENS,
            "output_tokens": 1234,
            "total_tokens": INPUT_TOKENS + 1234,
            "estimated": False,
        }
        [record] = either.records(request_id)
        assert (record["cost_nanos"], record["input_tokens"], record["output_tokens"]) == (NANOS, INPUT_TOKENS, 1234)
        assert record["price_id"] is not None


def test_embeddings_cost_their_input(gateway: Gateway) -> None:
    answer = gateway.post("/v1/embeddings", {"model": "mock-embedding", "input": ["four", "four"]})
    assert answer.headers["x-gateway-cost-usd"] == "0.00000004"  # two tokens at $0.02 a million


def test_other_keys_see_nothing_of_it(either: Gateway) -> None:
    request_id = either.chat().headers["x-request-id"]
    assert either.usage(request_id)["request_id"] == request_id
    either.records(request_id)
    for key in ("second", "foreign"):
        answer = either.http.get(f"/v1/gateway/usage/{request_id}", headers=either.bearer(key))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "request_not_found")
    assert either.http.get(f"/v1/gateway/usage/{request_id}").status_code == 401


def test_without_a_price_the_cost_is_unknown_and_never_zero(gateway: Gateway) -> None:
    answer = gateway.chat(model="agreed")
    assert answer.headers["x-gateway-cost-usd"] == "unknown"
    told = gateway.usage(answer.headers["x-request-id"])
    assert (told["cost_usd"], told["cost_nanos"]) == (None, None)
    assert gateway.records(answer.headers["x-request-id"])[0]["cost_nanos"] is None
    streamed = gateway.chat(model="agreed", stream=True, stream_options={"include_usage": True})
    [last] = [line for line in streamed.text.splitlines() if '"choices":[]' in line]
    assert "cost" not in json.loads(last[6:])["usage"]


def test_a_provider_that_reports_nothing_is_estimated_and_marked(gateway: Gateway) -> None:
    for stream in (False, True):
        answer = gateway.chat("[[mock fault=no_usage tokens=20]]", model="remote", stream=stream)
        assert answer.status_code == 200
        [record] = gateway.records(answer.headers["x-request-id"])
        assert record["tokens_estimated"]
        assert record["input_tokens"] > 0
        assert record["output_tokens"] > 0
        assert record["cost_nanos"] == record["input_tokens"] * 300 + record["output_tokens"] * 1200


def test_a_refused_call_is_free_and_recorded(gateway: Gateway) -> None:
    answer = gateway.chat("[[mock status=400]]", model="remote")
    assert (answer.status_code, answer.headers["x-gateway-cost-usd"]) == (400, "0")
    [record] = gateway.records(answer.headers["x-request-id"])
    assert (record["ending"], record["status"], record["cost_nanos"]) == ("refused", 400, 0)


def test_the_management_api_sums_it_up(gateway: Gateway) -> None:
    answers = [gateway.chat(TEXT, model="remote", key="counted") for _ in range(3)]
    for answer in answers:
        gateway.records(answer.headers["x-request-id"])
    told = gateway.http.get("/v0/management/usage", headers=gateway.bearer("counted"))
    assert told.status_code == 200, told.text
    assert told.json()["totals"]["cost_nanos"] == 3 * NANOS
