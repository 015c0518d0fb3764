import json
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.endpoints.websocket_frames import Chat, ToolDelta, ToolFunction
from gateway.endpoints.websocket_turn import Answer, Piece, PieceReader, RunningCost, build_body, read_question
from kernel.errors import InvalidRequest, UpstreamFailed
from providers.prices import Price
from tests.builders import ONE_AND_TWO
from tests.scripted import DONE, delta, event

STREAM = b": comment\n\n" + delta("he") + delta("") + delta("llo €") + event({"choices": []}) + DONE


def chat(**fields: object) -> Chat:
    return msgspec.json.decode(msgspec.json.encode({"type": "chat", "model": "m", **fields}), type=Chat)


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_pieces_do_not_depend_on_how_the_bytes_arrive(cuts: list[int]) -> None:
    reader = PieceReader()
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [piece for start, end in pairwise(edges) for piece in reader.feed(STREAM[start:end])]
    assert [piece.content for piece in pieces] == ["he", "llo €"]


@pytest.mark.parametrize("wire", [b"data: nonsense\n\n", event({"error": {"message": "no"}})])
def test_broken_streams_raise(wire: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        list(PieceReader().feed(wire))


def test_unusual_events_add_nothing() -> None:
    assert list(PieceReader().feed(event({"choices": "none"}) + event({"choices": [{"delta": None}]}))) == []


def test_answer_counts_everything_generated_and_keeps_the_message() -> None:
    call = ToolDelta(index=0, id="c", function=ToolFunction(name="f", arguments="{}"))
    answer = Answer()
    for piece in (Piece(reasoning="hm"), Piece(content="€"), Piece(tool_calls=[call]), Piece(tool_calls=[call])):
        answer.add(piece)
    assert answer.size_bytes == 2 + 3 + 2 + 2
    message = json.loads(answer.message())
    assert message["content"] == "€"
    assert message["tool_calls"][0]["function"]["arguments"] == "{}{}"


def test_refusal_is_part_of_the_message() -> None:
    answer = Answer()
    answer.add(Piece(refusal="no"))
    assert json.loads(answer.message()) == {"role": "assistant", "content": "", "refusal": "no"}


def test_question_keeps_the_bytes_it_came_as() -> None:
    raw = b'{"type":"chat","model":"m","messages":[{"role":"user", "content":"x","future":1e2}]}'
    question = read_question(msgspec.json.decode(raw, type=Chat))
    assert question == [b'{"role":"user", "content":"x","future":1e2}']


@pytest.mark.parametrize("name", ["model", "messages", "stream", "stream_options", "n"])
def test_parameters_cannot_take_the_conversation_over(name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        build_body(chat(content="x", parameters={name: None}), [])
    assert refused.value.param == f"parameters.{name}"


def test_running_cost() -> None:
    price = Price(id=1, vendor="v", model="m", rates=ONE_AND_TWO)
    running = RunningCost(price=price, input_tokens=10, earlier_nanos=500)
    assert running.estimate_nanos(output_bytes=0) == 10_000 + 500
    assert running.estimate_nanos(output_bytes=5) == 10_000 + 2 * 2_000 + 500
    assert RunningCost(price=None, input_tokens=1, earlier_nanos=0).estimate_nanos(output_bytes=5) is None
    assert RunningCost(price=price, input_tokens=1, earlier_nanos=None).estimate_nanos(output_bytes=5) is None
