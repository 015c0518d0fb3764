"""Events are told by the type in their data, however their lines are written."""

import pytest

from kernel.errors import UpstreamBroken
from providers.dialects.anthropic_messages.events import read_event

DATA = b'{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"a"}}'


@pytest.mark.parametrize(
    "event",
    [
        b"event: content_block_delta\ndata: %b\n\n",
        b"event: content_block_delta\r\ndata: %b\r\n\r\n",
        b"data: %b\n\n",
        b"data:%b\n\n",
        b": note\nid: 7\nevent: content_block_delta\ndata: %b\n\n",
    ],
)
def test_any_spelling_of_an_event(event: bytes) -> None:
    wire = read_event(event % DATA)
    assert wire is not None
    assert wire.delta is not None
    assert (wire.type, wire.index, wire.delta.text) == ("content_block_delta", 3, "a")


def test_data_of_several_lines_is_joined() -> None:
    wire = read_event(b'event: ping\ndata: {"type":\ndata: "ping"}\n\n')
    assert wire is not None
    assert wire.type == "ping"


@pytest.mark.parametrize("event", [b": keep-alive\n\n", b"event: ping\n\n", b'data: {"type":"new","delta":"odd"}\n\n'])
def test_what_says_nothing(event: bytes) -> None:
    assert read_event(event) is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"nonsense", "upstream_invalid_response"),
        (b"[]", "upstream_invalid_response"),
        (b'{"x": 1}', "upstream_invalid_response"),
        (b'{"type":"message_delta","delta":"odd"}', "upstream_invalid_response"),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}', "upstream_overloaded"),
        (b'{"type":"error","delta":"odd","error":{"type":"api_error","message":"m"}}', "api_error"),
        (b'{"type":"error"}', "upstream_error"),
    ],
)
def test_what_breaks_a_stream(data: bytes, code: str) -> None:
    with pytest.raises(UpstreamBroken) as caught:
        read_event(b"event: x\ndata: %b\n\n" % data)
    assert caught.value.code == code


def test_what_follows_a_wrong_field_may_be_no_json_either() -> None:
    with pytest.raises(UpstreamBroken):
        read_event(b'event: message_start\ndata: {"index": {}, "type" "message_start"}\n\n')
