"""The sets of the dialect."""

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Head
from providers.dialects.codec import Asked, PathFacts, Upstream
from providers.dialects.cohere_rank.codec import RERANK_BACK, RERANK_FRONT, RERANK_THROUGH

BODY = b'{"model":"m","query":"q","documents":["a"],"odd":1.0}'
UPSTREAM = Upstream(model="up", capabilities=Capabilities())


def test_from_front_to_back_and_back_again() -> None:
    head = RERANK_FRONT.decode_head(BODY, PathFacts())
    written = RERANK_BACK.encode_request(RERANK_FRONT.decode_request(BODY, PathFacts()), UPSTREAM).body
    assert msgspec.json.decode(written) == msgspec.json.decode(BODY) | {"model": "up"}
    answer = RERANK_BACK.decode_answer(b'{"results":[{"index":0,"relevance_score":0.5}]}')
    asked = Asked(head=head, body=BODY, model="m", answer_id="ans", created_at_s=1)
    assert RERANK_THROUGH.read_facts(RERANK_FRONT.encode_answer(answer, asked)).usage is not None
    assert RERANK_FRONT.read_prompt(BODY).texts == ("q a",)
    assert RERANK_BACK.read_error(400, lambda name: None, b'{"message":"no"}') is not None


def test_only_the_model_changes_on_the_way_through() -> None:
    head = Head(model="m")
    assert b'"odd":1.0' in RERANK_THROUGH.patch(BODY, UPSTREAM, head=head, once=False)
    same = Upstream(model="m", capabilities=Capabilities())
    assert RERANK_THROUGH.patch(BODY, same, head=head, once=False) is BODY


def test_nothing_is_streamed() -> None:
    head = Head(model="m")
    asked = Asked(head=head, body=BODY, model="m", answer_id="ans", created_at_s=1)
    with pytest.raises(InvalidRequest):
        RERANK_THROUGH.reader(head, lambda usage: None)
    with pytest.raises(InvalidRequest):
        RERANK_BACK.decoder()
    with pytest.raises(InvalidRequest):
        RERANK_FRONT.encoder(asked, lambda usage: None)
