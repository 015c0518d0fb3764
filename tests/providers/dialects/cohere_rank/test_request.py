"""Requests to rank: heads with a worst case, and the same request back from the dialect."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Dialect
from providers.dialects.codec import Upstream
from providers.dialects.cohere_rank import request as wire
from providers.dialects.ranking import RankingRequest

ASKED: dict[str, Any] = {"model": "m", "query": "q", "documents": ["a", {"text": "b", "title": "t"}]}
UPSTREAM = Upstream(model="up", capabilities=Capabilities())


def encode(**changes: Any) -> bytes:
    return msgspec.json.encode({name: value for name, value in (ASKED | changes).items() if value is not None})


def test_the_head() -> None:
    head = wire.decode_head(encode(max_cost_usd=0.25))
    assert (head.model, head.searches, head.input_bytes, head.max_output_tokens) == ("m", 1, 3, 0)
    assert head.max_cost_nanos == 250_000_000
    assert wire.read_prompt(encode()).texts == ("q a", "q b")


@pytest.mark.parametrize(
    ("query", "documents", "searches"),
    [
        ("q", ["d"] * 100, 1),
        ("q", ["d"] * 101, 2),
        ("q", ["d" * 499], 1),
        ("q", ["d" * 499 * 101], 2),
        ("q" * 9_000, ["d" * 250] * 100, 1),
        ("q" * 9_000, ["d" * 251] * 100, 2),
    ],
)
def test_long_documents_count_as_several(query: str, documents: list[str], searches: int) -> None:
    assert wire.decode_head(encode(query=query, documents=documents)).searches == searches


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"query": None}, "query"),
        ({"query": ["q"]}, "query"),
        ({"documents": []}, "documents"),
        ({"documents": [5]}, "documents[0]"),
        ({"documents": [{"title": "t"}]}, "documents[0].text"),
        ({"top_n": 0}, "top_n"),
        ({"top_n": "all"}, "top_n"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.decode_head(encode(**changes))
    assert caught.value.param == param


requests = st.builds(
    RankingRequest,
    model=st.just("up"),
    query=st.text(),
    documents=st.lists(st.text(), min_size=1).map(tuple),
    dialect=st.just(Dialect.COHERE),
    top_n=st.none() | st.integers(1, 10),
    with_documents=st.booleans(),
    extras=st.dictionaries(st.sampled_from(["max_tokens_per_doc", "priority"]), st.just(msgspec.Raw(b"4096"))),
)


@given(requests)
def test_what_is_written_is_read_as_the_same(request: RankingRequest) -> None:
    encoded = wire.encode_request(request, UPSTREAM)
    assert wire.decode_request(encoded.body) == request
    assert encoded.unsupported == encoded.ignored == ()


def test_another_dialects_fields_are_named() -> None:
    extras = {"truncate": msgspec.Raw(b'"END"'), "user": msgspec.Raw(b'"u"')}
    request = RankingRequest("m", "q", ("d",), Dialect.OPENAI, extras=extras)
    encoded = wire.encode_request(request, UPSTREAM)
    assert msgspec.json.decode(encoded.body) == {"model": "up", "query": "q", "documents": ["d"]}
    assert (encoded.unsupported, encoded.ignored) == (("truncate",), ("user",))
