"""Events and items are numbered in one place, and finished items keep the order they began in."""

import json

import msgspec

from providers.dialects.conversation import Text, TextDelta
from providers.dialects.openai_responses.output_items import ItemIds
from providers.dialects.openai_responses.stream_parts import OpenMessage, OpenText, Transcript
from tests.providers.dialects.openai_responses.official import check_stream


def test_items_keep_the_order_they_began_in() -> None:
    transcript = Transcript(ItemIds("resp_1"))
    first, second = transcript.open_item({"n": 1}), transcript.open_item({"n": 2})
    transcript.close_item(second, {"n": 2})
    transcript.close_item(first, {"n": 1})
    assert [json.loads(bytes(item)) for item in transcript.output] == [{"n": 1}, {"n": 2}]
    assert transcript.item_count == 2
    assert transcript.take().count(b"\n\n") == 4
    assert transcript.take() == b""


def test_a_text_with_probabilities() -> None:
    transcript = Transcript(ItemIds("resp_1"))
    message = OpenMessage(transcript)
    text = OpenText(transcript, message)
    token = b'{"token":"a\\"b","logprob":-0.5,"bytes":[97],"top_logprobs":[]}'
    text.add(TextDelta('a"b', logprobs=msgspec.Raw(b"[" + token + b"]")))
    text.add(TextDelta("\u00e9\n"))
    text.close("completed")
    message.close("completed")
    events = check_stream(transcript.take())
    deltas = [event for event in events if event["type"] == "response.output_text.delta"]
    assert [delta["delta"] for delta in deltas] == ['a"b', "\u00e9\n"]
    assert [len(delta["logprobs"]) for delta in deltas] == [1, 0]
    part = events[-1]["item"]["content"][0]
    assert Text(part["text"]) == Text('a"b\u00e9\n')
    assert part["logprobs"] == [json.loads(token)]
