"""The contracts are kept, whichever operation it is."""

import json

import pytest

from kernel.errors import InvalidRequest, NotFound
from providers.dialects.canonical import Capabilities, Head, Operation
from providers.dialects.codec import Asked, PathFacts, Upstream
from providers.dialects.openai_chat import codec, request
from tests.providers.dialects.openai_chat import cassettes

FRONTS = {
    Operation.CHAT: (codec.CHAT_FRONT, "chat.json"),
    Operation.COMPLETION: (codec.COMPLETION_FRONT, "completion.json"),
    Operation.EMBEDDING: (codec.EMBEDDING_FRONT, "embeddings.json"),
}
THROUGHS = {
    Operation.CHAT: codec.CHAT_THROUGH,
    Operation.COMPLETION: codec.COMPLETION_THROUGH,
    Operation.EMBEDDING: codec.EMBEDDING_THROUGH,
}


def _upstream(model: str, **fields: object) -> Upstream:
    return Upstream(model=model, capabilities=Capabilities(), **fields)  # type: ignore[arg-type]  # names of a test


@pytest.mark.parametrize("operation", FRONTS)
def test_recorded_requests_have_heads_prompts_and_meaning(operation: Operation) -> None:
    front, name = FRONTS[operation]
    body = cassettes.read_request(name)
    assert front.decode_head(body, PathFacts()) == request.decode_head(operation, body)
    assert any(front.read_prompt(body).texts)
    assert front.decode_request(body, PathFacts()).model == json.loads(body)["model"]


@pytest.mark.parametrize("operation", THROUGHS)
def test_what_need_not_change_keeps_its_bytes(operation: Operation) -> None:
    body = cassettes.read_request(FRONTS[operation][1])
    head = request.decode_head(operation, body)
    through = THROUGHS[operation]
    assert through.patch(body, _upstream(head.model, ask_usage=True), head=head, once=False) is body
    assert json.loads(through.patch(body, _upstream("other"), head=head, once=True))["model"] == "other"


@pytest.mark.parametrize(
    ("operation", "field"),
    [(Operation.CHAT, "max_completion_tokens"), (Operation.COMPLETION, "max_tokens"), (Operation.EMBEDDING, None)],
)
def test_the_cap_stands_where_the_operation_has_a_place_for_it(operation: Operation, field: str | None) -> None:
    body = cassettes.read_request(FRONTS[operation][1])
    head = request.decode_head(operation, body)
    patched = json.loads(THROUGHS[operation].patch(body, _upstream(head.model, cap=3), head=head, once=True))
    assert [name for name in patched if name.startswith("max_")] == ([field] if field else [])


def test_usage_is_asked_of_a_stream_whose_client_did_not() -> None:
    body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"a"}]}'
    head = request.decode_head(Operation.CHAT, body)
    patched = codec.CHAT_THROUGH.patch(body, _upstream("m", ask_usage=True), head=head, once=False)
    assert json.loads(patched)["stream_options"] == {"include_usage": True}


def test_a_reader_passes_a_recorded_stream() -> None:
    data = cassettes.read_stream("chat_stream.sse")
    reader = codec.CHAT_THROUGH.reader(Head("m", wants_stream_usage=True), lambda usage: None)
    assert reader.feed(data) == data
    assert reader.done
    assert reader.usage is not None


def test_facts_of_an_answer() -> None:
    assert codec.EMBEDDING_THROUGH.read_facts(cassettes.read_response("embeddings.json")).usage is not None
    assert codec.CHAT_THROUGH.read_facts(cassettes.read_response("chat.json")).finish_reason == "stop"


def test_a_recorded_answer_is_read_and_written() -> None:
    asked = Asked(head=Head("m"), body=b"{}", model="m", answer_id="a", created_at_s=1)
    answer = codec.CHAT_BACK.decode_answer(cassettes.read_response("tools.json"))
    assert codec.CHAT_BACK.decode_answer(codec.CHAT_FRONT.encode_answer(answer, asked)) == answer
    plain = json.loads(codec.COMPLETION_FRONT.encode_answer(answer, asked))
    assert plain["object"] == "text_completion"
    vectors = codec.EMBEDDING_BACK.decode_answer(cassettes.read_response("embeddings.json"))
    assert codec.EMBEDDING_BACK.decode_answer(codec.EMBEDDING_FRONT.encode_answer(vectors, asked)) == vectors


def test_embeddings_have_no_stream() -> None:
    with pytest.raises(InvalidRequest):
        codec.EMBEDDING_BACK.decoder()


def test_errors_keep_their_status() -> None:
    error = NotFound("no such path")
    assert codec.ERRORS.status_of(error) == 404
    assert json.loads(codec.ERRORS.encode_error(error, request_id="r"))["error"]["code"] == "not_found"
    report = codec.CHAT_BACK.read_error(404, lambda name: None, b'{"error":{"message":"m","code":"x"}}')
    assert report is not None
    assert report.code == "x"
