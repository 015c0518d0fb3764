"""A stream passes untouched, its usage is read on the way, and a cut is never taken for an end."""

import pytest

from kernel.errors import UpstreamBroken
from providers.dialects.anthropic_messages.stream import AnthropicReader
from providers.dialects.canonical import Usage
from tests.providers.dialects.anthropic_messages.recorded import STREAMS, events_of, stream
from tests.providers.dialects.streams import every_split


def _run(pieces: list[bytes]) -> tuple[AnthropicReader, bytes]:
    reader = AnthropicReader()
    passed = b"".join(reader.feed(piece) for piece in pieces)
    return reader, passed + reader.end()


@pytest.mark.parametrize("name", STREAMS)
def test_every_cut_passes_the_same_bytes(name: str) -> None:
    whole, _ = _run([stream(name)])
    for pieces in every_split(stream(name)):
        reader, passed = _run(pieces)
        assert passed == stream(name)
        assert (reader.usage, reader.finish_reason, reader.output_bytes, reader.done) == (
            *(whole.usage, whole.finish_reason),
            *(whole.output_bytes, True),
        )


def test_what_accounting_needs_is_read() -> None:
    reader, _ = _run([stream("reasoning_stream.sse")])
    assert reader.usage == Usage(input_tokens=40, output_tokens=90, reasoning_tokens=80)
    assert (reader.finish_reason, reader.output_bytes) == ("stop", len("2 and 2 …4".encode()))
    reader, _ = _run([stream("tools_stream.sse")])
    assert (reader.finish_reason, reader.output_bytes) == ("tool_calls", len('I look.{"place": "Paris"}'))


def test_unknown_events_and_odd_line_ends_pass() -> None:
    odd = b': hello\r\n\r\nevent: new\r\ndata: {"type":"new","delta":7}\r\n\r\n'
    _, passed = _run([odd + stream("chat_stream.sse")])
    assert passed == odd + stream("chat_stream.sse")


def test_an_error_is_told_apart_and_not_passed() -> None:
    reader = AnthropicReader()
    passed = reader.feed(stream("failed_stream.sse"))
    assert reader.failure is not None
    assert (reader.failure.code, b"Overloaded" in passed) == ("upstream_overloaded", False)
    assert events_of(passed)[-1]["delta"]["text"] == "Par"
    assert reader.feed(stream("chat_stream.sse")) == b""
    with pytest.raises(UpstreamBroken, match="Overloaded"):
        reader.end()
    (told,) = events_of(reader.fail(reader.failure, request_id="req_1"))
    assert (told["type"], told["request_id"]) == ("error", "req_1")


def test_a_cut_is_an_error() -> None:
    reader = AnthropicReader()
    reader.feed(stream("chat_stream.sse").split(b"event: message_stop")[0])
    with pytest.raises(UpstreamBroken) as caught:
        reader.end()
    assert (caught.value.code, reader.done) == ("upstream_cut", False)


def test_nothing_follows_the_end() -> None:
    reader = AnthropicReader()
    assert reader.feed(stream("chat_stream.sse") + b"data: garbage\n\n") == stream("chat_stream.sse")
    assert (reader.done, reader.failure, reader.end()) == (True, None, b"")


@pytest.mark.parametrize("garbage", [b"data: <html>\n\n", b"x" * (16 * 1024 * 1024 + 1)])
def test_garbage_is_a_failure(garbage: bytes) -> None:
    reader = AnthropicReader()
    assert reader.feed(garbage) == b""
    assert reader.failure is not None


def test_what_is_expected_of_the_upstream() -> None:
    assert (AnthropicReader().accepts, AnthropicReader().content_type) == (b"text/event-stream", b"")
