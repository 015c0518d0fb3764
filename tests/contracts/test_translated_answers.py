"""Every provider's answers to every client: read by the client's own library, and saying the same."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from providers.dialects.canonical import Dialect, Head, Usage
from providers.dialects.codec import Asked
from providers.dialects.conversation import Answer, Choice, Failed, Refusal, Text, Thinking, ToolCall
from providers.dialects.table import BACKS
from providers.dialects.translating import TranslatingReader
from tests.contracts import asking, dialects, vendors
from tests.contracts.recordings import Recording, recordings
from tests.providers.dialects.streams import assemble, decode_all

FRONTS = list(dialects.chat_doors())
WHOLE = [
    one
    for one in recordings()
    if one.dialect in dialects.chat_backs()
    and one.operation.value == "chat"
    and "response" in one.fields
    and not one.is_error
    and not one.is_failure
]


def asked_at(front: str, *, stream: bool) -> Asked:
    """Return what a client asked who is answered."""
    body = asking.body_of("text", Dialect(front))
    head = Head(model="m", stream=stream, wants_stream_usage=True)
    return Asked(head=head, body=body, model="m", answer_id="ans_own", created_at_s=1_794_000_000)


def streamed(recording: Recording, front: str, *, bytes_a_piece: int) -> tuple[bytes, TranslatingReader]:
    """Return what a client of a front gets of a recorded stream."""
    back, data = dialects.back_of(recording), dialects.stream_of(recording)
    encoder = dialects.front_of(front).encoder(asked_at(front, stream=True), lambda usage: b"0.5")
    reader = TranslatingReader(back.decoder(), encoder, accepts=back.stream_type)
    pieces = [data[start : start + bytes_a_piece] for start in range(0, len(data), bytes_a_piece)]
    passed = b"".join(map(reader.feed, pieces))
    return passed + reader.end(), reader


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("recording", WHOLE, ids=str)
def test_a_whole_answer_is_one_of_the_client_s_vendor(recording: Recording, front: str) -> None:
    answer = dialects.back_of(recording).decode_answer(recording.response)
    body = dialects.front_of(front).encode_answer(answer, asked_at(front, stream=False))
    vendors.check_answer(Dialect(front), body)
    read = BACKS[Dialect(front), recording.operation].decode_answer(body)
    assert _said(read) == _said(answer)
    assert _counted(read.usage) == _counted(answer.usage)


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("recording", dialects.streams(), ids=str)
def test_a_stream_is_one_of_the_client_s_vendor(recording: Recording, front: str) -> None:
    data, reader = streamed(recording, front, bytes_a_piece=1 << 20)
    vendors.check_stream(Dialect(front), data)
    assert (reader.done, reader.failure) == (True, None)
    told = assemble(decode_all(dialects.back_of(recording).decoder(), [dialects.stream_of(recording)]))
    read = assemble(decode_all(BACKS[Dialect(front), recording.operation].decoder(), [data]))
    assert _said(read) == _said(told)
    assert _counted(read.usage) == _counted(told.usage) == _counted(reader.usage)


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("recording", dialects.streams(), ids=str)
def test_a_stream_in_small_pieces_says_the_same(recording: Recording, front: str) -> None:
    whole, _ = streamed(recording, front, bytes_a_piece=1 << 20)
    pieces, _ = streamed(recording, front, bytes_a_piece=7)
    back = BACKS[Dialect(front), recording.operation]
    assert assemble(decode_all(back.decoder(), [pieces])) == assemble(decode_all(back.decoder(), [whole]))


@pytest.mark.parametrize("front", FRONTS)
def test_no_events_are_no_bytes(front: str) -> None:
    assert dialects.front_of(front).encoder(asked_at(front, stream=True), lambda usage: None).encode([]) == b""


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("recording", dialects.failures(), ids=str)
def test_an_error_in_a_stream_is_an_error_there_too(recording: Recording, front: str) -> None:
    back, data = dialects.back_of(recording), dialects.stream_of(recording)
    encoder = dialects.front_of(front).encoder(asked_at(front, stream=True), lambda usage: None)
    reader = TranslatingReader(back.decoder(), encoder, accepts=back.stream_type)
    passed = reader.feed(data)
    assert reader.failure is not None
    passed += reader.fail(reader.failure, request_id="req_1")
    decoder = BACKS[Dialect(front), recording.operation].decoder()
    (failed,) = dialects.endings(dialects.run(decoder, passed))
    assert isinstance(failed, Failed)
    assert failed.error.message == reader.failure.message
    assert reader.failure.code.encode() in passed.lower()
    assert not reader.done


def _said(answer: Answer) -> list[Any]:
    return [(_words(choice), list(_calls(choice))) for choice in answer.choices]


def _words(choice: Choice) -> tuple[str, str]:
    words = "".join(part.text for part in choice.parts if isinstance(part, Text | Refusal))
    return words, "".join(part.text for part in choice.parts if isinstance(part, Thinking))


def _calls(choice: Choice) -> Iterator[tuple[str, str, Any]]:
    for part in choice.parts:
        if isinstance(part, ToolCall):
            yield part.id, part.name, msgspec.json.decode(part.arguments or "{}")


def _counted(usage: Usage | None) -> tuple[int, int, int] | None:
    return None if usage is None else (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens)
