import pytest

from benchmarks import workload
from benchmarks.speech import SPEECHES, frame
from providers.dialects.canonical import Dialect, Operation
from providers.dialects.conversation import Finish, Text
from providers.dialects.eventstream import FrameSplitter
from providers.dialects.table import BACKS
from tests.providers.dialects.streams import assemble


@pytest.mark.parametrize("dialect", SPEECHES)
def test_a_whole_answer_says_the_same_words_in_every_dialect(dialect: Dialect) -> None:
    answer = BACKS[dialect, Operation.CHAT].decode_answer(SPEECHES[dialect].answer)
    assert answer.choices[0].parts == (Text(workload.PARAGRAPH),)
    assert answer.choices[0].finish is Finish.STOP
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (210, 42)


@pytest.mark.parametrize("dialect", SPEECHES)
def test_a_stream_has_as_many_chunks_as_wanted_and_is_whole(dialect: Dialect) -> None:
    decoder = BACKS[dialect, Operation.CHAT].decoder()
    events = [event for piece in SPEECHES[dialect].stream(3) for event in decoder.feed(piece)]
    answer = assemble([*events, *decoder.end()])
    [part] = answer.choices[0].parts
    assert isinstance(part, Text)
    assert part.text.count(" tokens") == (4 if dialect is Dialect.GEMINI else 3)  # Gemini's end says something too
    assert answer.choices[0].finish is Finish.STOP
    assert answer.usage is not None


def test_a_frame_is_one_of_amazons() -> None:
    [message] = FrameSplitter().feed(frame("messageStart", {"role": "assistant"}))
    assert message.payload == b'{"role":"assistant"}'
    assert message.headers[":event-type"] == "messageStart"
