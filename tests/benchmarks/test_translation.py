import pytest

from benchmarks.speech import SPEECHES
from benchmarks.translation import (
    PAIRS,
    Cost,
    Pair,
    markdown,
    measure,
    passing_reader,
    translate_call,
    translating_reader,
)
from providers.dialects.canonical import Dialect


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.title)
def test_what_is_measured_is_a_whole_translation(pair: Pair) -> None:
    assert b"Summarise the following note" in translate_call(pair)
    reader = translating_reader(pair)
    said = b"".join(reader.feed(piece) for piece in SPEECHES[pair.back].stream(20)) + reader.end()
    assert said.count(b" tokens") == (21 if pair.back is Dialect.GEMINI else 20)
    assert reader.done
    assert reader.usage is not None


def test_passing_leaves_the_bytes_alone() -> None:
    reader = passing_reader()
    chunk = SPEECHES[Dialect.OPENAI].chunks[0]
    assert reader.feed(chunk) == chunk


def test_every_pair_gets_its_figures() -> None:
    costs = measure(rounds=1)
    assert [cost.pair for cost in costs] == list(PAIRS)
    assert all(cost.call_us > 0 and cost.chunk_us > 0 for cost in costs)


def test_the_table_names_both_sides() -> None:
    text = markdown([Cost(PAIRS[1], call_us=123.4, chunk_us=2.345, chunk_ratio=2.04)])
    assert text.splitlines()[-1] == "| openai client, anthropic provider | 123 | 2.35 | 2.0x |"
