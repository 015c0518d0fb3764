"""Events become the API's own sequence, whatever the other dialect leaves out; OpenAI's types judge every event."""

import json
from typing import Any

import msgspec
import pytest

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.conversation import (
    Citation,
    CitationAdded,
    Ended,
    Event,
    Finish,
    Finished,
    Image,
    Opaque,
    PartAdded,
    PartEnded,
    RefusalDelta,
    Source,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    UsageReport,
)
from providers.dialects.openai_responses.stream_encoder import Encoder
from tests.providers.dialects.openai_responses.answers import ASKED
from tests.providers.dialects.openai_responses.official import check_stream

END: list[Event] = [Finished(Finish.STOP), Ended()]


def _encode(*events: Event, cost: bytes | None = None) -> list[dict[str, Any]]:
    encoder = Encoder(ASKED, lambda usage: cost)
    return check_stream(b"".join(encoder.encode([event]) for event in events))


def _kinds(told: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in told]


def test_the_sequence_of_a_text() -> None:
    told = _encode(Started("other", "served"), TextDelta("Hel"), TextDelta("lo"), *END)
    assert _kinds(told) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    response = told[-1]["response"]
    assert (response["id"], response["model"], response["status"]) == ("resp_1", "served", "completed")
    assert response["output"][0]["content"][0]["text"] == "Hello"


def test_thought_text_and_calls_each_close_before_the_next() -> None:
    told = _encode(
        ThinkingDelta(text="hm"),
        ThinkingDelta(signature="s", dialect=Dialect.ANTHROPIC),
        TextDelta("so", 1),
        ToolStarted("c", "f", 2),
        ToolDelta("{}", 2),
        *END,
    )
    assert _kinds(told)[2:-1] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert [item["type"] for item in told[-1]["response"]["output"]] == ["reasoning", "message", "function_call"]


def test_calls_may_run_beside_each_other() -> None:
    told = _encode(
        ToolStarted("c", "f", 0),
        ToolStarted("d", "g", 1),
        ToolDelta("{", 0),
        ToolDelta("[", 1),
        ToolDelta("}", 0),
        ToolDelta("]", 1),
        *END,
    )
    output = told[-1]["response"]["output"]
    assert [(item["call_id"], item["arguments"]) for item in output] == [("c", "{}"), ("d", "[]")]


def test_text_and_refusal_share_a_message() -> None:
    told = _encode(TextDelta("a"), PartEnded(), RefusalDelta("b", 1), PartEnded(0), *END)
    [item] = told[-1]["response"]["output"]
    assert [part["type"] for part in item["content"]] == ["output_text", "refusal"]


def test_citations_pictures_and_own_items() -> None:
    cited = Citation("url", Dialect.GEMINI, msgspec.Raw(b"{}"), url="https://a.b", title="A")
    nameless = Citation("pages", Dialect.ANTHROPIC, msgspec.Raw(b"{}"))
    search = {
        "id": "ws_1",
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
    told = _encode(
        TextDelta("hello"),
        CitationAdded(cited),
        CitationAdded(nameless),
        PartAdded(Image(Source(data="aGk=", media_type="image/png")), 1),
        PartAdded(Opaque(Dialect.RESPONSES, "web_search_call", msgspec.Raw(json.dumps(search).encode())), 2),
        PartAdded(Opaque(Dialect.ANTHROPIC, "server_tool_use", msgspec.Raw(b"{}")), 3),
        *END,
    )
    message, picture, searched = told[-1]["response"]["output"]
    assert [note["url"] for note in message["content"][0]["annotations"]] == ["https://a.b"]
    assert (picture["type"], picture["result"], searched) == ("image_generation_call", "aGk=", search)


def test_usage_and_cost_stand_in_the_last_event() -> None:
    usage = UsageReport(Usage(input_tokens=3, output_tokens=2))
    told = _encode(usage, TextDelta("a"), *END, cost=b"0.5")
    said = told[-1]["response"]["usage"]
    assert (said["input_tokens"], said["total_tokens"], said["cost"]) == (3, 5, 0.5)
    assert told[0]["response"]["usage"] is None


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        (Finish.LENGTH, "incomplete", "max_output_tokens"),
        (Finish.CONTENT_FILTER, "incomplete", "content_filter"),
        (Finish.ERROR, "failed", None),
        (Finish.PAUSE, "completed", None),
    ],
)
def test_the_end_says_why(finish: Finish, status: str, reason: str | None) -> None:
    told = _encode(TextDelta("a"), Finished(finish), Ended())
    assert told[-1]["type"] == f"response.{status}"
    response = told[-1]["response"]
    assert (response["incomplete_details"] or {}).get("reason") == reason
    assert response["output"][0]["status"] == ("incomplete" if status == "incomplete" else "completed")


def test_empty_words_and_other_choices_are_not_told() -> None:
    told = _encode(TextDelta(""), RefusalDelta(""), TextDelta("x", choice=1), Finished(Finish.STOP, 1), *END)
    assert told[-1]["response"]["output"] == []


def test_words_that_come_back_to_a_closed_part_are_not_lost() -> None:
    told = _encode(TextDelta("a"), ThinkingDelta(1, text="hm"), TextDelta("b"), *END)
    output = told[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["message", "reasoning", "message"]


def test_a_failure_ends_the_stream() -> None:
    encoder = Encoder(ASKED, lambda usage: None)
    data = encoder.encode([Started(), ToolStarted("c", "f"), ToolDelta("{}"), PartEnded(), TextDelta("a", 1)])
    data += encoder.fail(UpstreamBroken("cut", code="upstream_cut"), request_id="req_1")
    *_, error, failed = check_stream(data)
    assert (error["code"], failed["type"]) == ("upstream_cut", "response.failed")
    assert [item["type"] for item in failed["response"]["output"]] == ["function_call"]
    assert encoder.encode([TextDelta("b", 1), Ended()]) == b""
    assert encoder.fail(UpstreamBroken("again"), request_id="req_1") == b""


def test_a_failure_before_the_start() -> None:
    encoder = Encoder(ASKED, lambda usage: None)
    told = check_stream(encoder.fail(UpstreamBroken("no"), request_id="req_1"))
    assert _kinds(told) == ["error", "failed"]
