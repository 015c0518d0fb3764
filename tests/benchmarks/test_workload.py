import json

from benchmarks import workload
from benchmarks.workload import PACED, SATURATING, read_plan, request_body


def test_sizes_are_those_of_ordinary_chat_traffic() -> None:
    assert 900 <= len(request_body("gpt-4o-mini")) <= 1100
    assert 650 <= len(workload.unary_answer()) <= 750
    assert 210 <= len(workload.content_chunk()) <= 250


def test_a_plan_travels_in_the_message() -> None:
    assert read_plan(request_body("m", plan=SATURATING)) == SATURATING
    assert read_plan(request_body("m")) == PACED


def test_only_a_request_with_a_plan_streams() -> None:
    assert json.loads(request_body("m", plan=PACED))["stream"] is True
    assert "stream" not in json.loads(request_body("m"))


def test_numbers_make_requests_distinct() -> None:
    assert request_body("m", number=1) != request_body("m", number=2)


def test_every_event_is_a_frame_of_json() -> None:
    for event in (workload.content_chunk(), workload.last_chunk(), workload.usage_chunk()):
        assert event.startswith(b"data: ")
        assert event.endswith(b"\n\n")
        json.loads(event[6:])
