"""Ranked documents as Cohere and Jina tell them, and as the gateway does."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Head, Usage
from providers.dialects.codec import Asked
from providers.dialects.cohere_rank import response
from providers.dialects.ranking import Ranked, RankingAnswer

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes"
RANKED = (Ranked(1, 0.98), Ranked(0, 0.02))


def load(vendor: str) -> dict[str, Any]:
    return msgspec.json.decode((CASSETTES / vendor / "rerank.json").read_bytes(), type=dict[str, Any])


def asked(body: bytes) -> Asked:
    return Asked(head=Head(model="m"), body=body, model="m", answer_id="ans-1", created_at_s=1)


@pytest.mark.parametrize(
    ("vendor", "usage", "identity"),
    [("cohere", Usage(searches=1), "07734bd2-2473-4f07-94e1-0d9f0e6843cf"), ("jina", Usage(input_tokens=24), "")],
)
def test_recorded_answers(vendor: str, usage: Usage, identity: str) -> None:
    body = msgspec.json.encode(load(vendor)["response"])
    answer = response.decode_answer(body)
    assert [ranked.index for ranked in answer.ranked] == [1, 0]
    assert (answer.usage, answer.id) == (usage, identity)
    assert response.read_facts(body).usage == usage


def test_documents_are_repeated_only_where_they_were_asked_for() -> None:
    answer = RankingAnswer((*RANKED, Ranked(7, 0.01)), usage=Usage(input_tokens=24))
    told = msgspec.json.decode(response.encode_answer(answer, asked(msgspec.json.encode(load("jina")["request"]))))
    assert told["results"][0] == {"index": 1, "relevance_score": 0.98, "document": {"text": "Paris is it"}}
    assert "document" not in told["results"][2]
    assert told["usage"] == {"prompt_tokens": 24, "total_tokens": 24}
    plain = msgspec.json.decode(response.encode_answer(answer, asked(msgspec.json.encode(load("cohere")["request"]))))
    assert plain["results"][0] == {"index": 1, "relevance_score": 0.98}
    assert (plain["id"], plain["model"]) == ("ans-1", "m")


def test_where_nothing_is_billed_a_search_a_hundred_documents_is_said() -> None:
    body = msgspec.json.encode({"model": "m", "query": "q", "documents": ["d"] * 250})
    told = msgspec.json.decode(response.encode_answer(RankingAnswer(RANKED), asked(body)))
    assert told["meta"]["billed_units"] == {"search_units": 3}
    assert "usage" not in told


@given(
    st.lists(st.builds(Ranked, st.integers(0, 99), st.floats(0, 1))).map(tuple),
    st.integers(0, 9),
    st.integers(1, 99),
)
def test_answers_there_and_back(ranked: tuple[Ranked, ...], searches: int, tokens: int) -> None:
    answer = RankingAnswer(ranked, "id", "m", Usage(searches=searches, input_tokens=tokens))
    body = b'{"model":"m","query":"q","documents":["d"]}'
    assert response.decode_answer(response.encode_answer(answer, asked(body))) == answer


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"results":[{"index":1}]}', b'{"results":'])
def test_what_is_no_answer_is_broken(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        response.read_facts(body)


def test_an_answer_that_says_nothing_of_its_use() -> None:
    assert response.read_facts(b'{"results":[]}').usage is None
