"""What translating costs in the process, without a socket: `python -m benchmarks.translation [--rounds 15]`.

For each pair of a client's dialect and a provider's: a request of 10 KB read, written anew, and its answer taken back;
and a stream of a thousand chunks, beside the same reader's work where both sides speak alike. CPU time of this process,
pairs in turn, medians over the rounds: what others do on the machine moves the figures, not their order.
"""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle

from benchmarks.dialogue import DIALOGUES
from benchmarks.speech import SPEECHES
from providers.dialects.canonical import Capabilities, Dialect, Operation, Usage
from providers.dialects.codec import NO_FACTS, Asked, PathFacts, StreamReader, Upstream
from providers.dialects.door import Door
from providers.dialects.doors import CHAT, GENERATE, MESSAGES
from providers.dialects.table import BACKS
from providers.dialects.translating import TranslatingReader

_BLANKS = cycle(range(8))
_UPSTREAM = Upstream("upstream-model", Capabilities(), cap=1024)
_IN_PATH = PathFacts(model="bench-model", stream=True)
CHUNKS = 1000
REQUESTS = 50


@dataclass(frozen=True, slots=True)
class Pair:
    """A client's door and the dialect of the provider behind it."""

    door: Door
    back: Dialect

    @property
    def title(self) -> str:
        """Return the pair in words."""
        return f"{self.door.dialect} client, {self.back} provider"

    @property
    def path(self) -> PathFacts:
        """Return what the client's path says; Gemini's names the model."""
        return _IN_PATH if self.door.dialect is Dialect.GEMINI else NO_FACTS


PAIRS = (
    *[Pair(CHAT, back) for back in SPEECHES],
    *[Pair(door, Dialect.OPENAI) for door in (MESSAGES, GENERATE)],
)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of one pair: µs a call, µs a chunk, and how many times the chunk costs of what passing one costs."""

    pair: Pair
    call_us: float
    chunk_us: float
    chunk_ratio: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.translation", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    print(markdown(measure(rounds=parser.parse_args(arguments).rounds)))
    return 0


def measure(*, rounds: int) -> list[Cost]:
    """Return what each pair costs."""
    gc.collect()
    gc.freeze()  # as the gateway does once it has started
    try:
        return _measure(rounds)
    finally:
        gc.unfreeze()


def translate_call(pair: Pair) -> bytes:
    """Return the client's answer: its request read and written anew, the provider's answer read and written anew."""
    front, back = pair.door.front, BACKS[pair.back, Operation.CHAT]
    assert front is not None
    body = DIALOGUES[pair.door.dialect] + b" " * next(_BLANKS)  # no call is like the last, and nothing is remembered
    head = pair.door.heads.decode_head(body, pair.path)
    asked = Asked(head, body, "upstream-model", "answer-1", 1794000000)
    back.encode_request(front.decode_request(body, pair.path), _UPSTREAM)
    return front.encode_answer(back.decode_answer(SPEECHES[pair.back].answer), asked)


def translating_reader(pair: Pair) -> StreamReader:
    """Return what takes the provider's stream and gives the client's."""
    front, back, body = pair.door.front, BACKS[pair.back, Operation.CHAT], DIALOGUES[pair.door.dialect]
    assert front is not None
    asked = Asked(pair.door.heads.decode_head(body, pair.path), body, "upstream-model", "answer-1", 1794000000)
    return TranslatingReader(back.decoder(), front.encoder(asked, _no_price), accepts=back.stream_type)


def passing_reader() -> StreamReader:
    """Return what passes a stream on where both sides speak alike."""
    assert CHAT.through is not None
    head = CHAT.heads.decode_head(DIALOGUES[Dialect.OPENAI], NO_FACTS)
    return CHAT.through.reader(head, _no_price)


def markdown(costs: Sequence[Cost]) -> str:
    """Return the table."""
    lines = [
        "| translated | CPU µs a call of 10 KB | CPU µs a chunk | against passing |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [f"| {c.pair.title} | {c.call_us:.0f} | {c.chunk_us:.2f} | {c.chunk_ratio:.1f}x |" for c in costs]
    return "\n".join(lines)


def _measure(rounds: int) -> list[Cost]:
    passing_us: list[float] = []
    calls_us: list[list[float]] = [[] for _ in PAIRS]
    chunks_us: list[list[float]] = [[] for _ in PAIRS]
    pieces = SPEECHES[Dialect.OPENAI].stream(CHUNKS)
    for _ in range(rounds):
        passing_us.append(_cpu_us(lambda: _feed(passing_reader(), pieces), times=1) / CHUNKS)
        for pair, call_us, chunk_us in zip(PAIRS, calls_us, chunks_us, strict=True):
            call_us.append(_cpu_us(lambda: translate_call(pair), times=REQUESTS))  # noqa: B023 - called at once
            chunk_us.append(_cpu_us(lambda: _translate_stream(pair), times=1) / CHUNKS)  # noqa: B023
    base_us = statistics.median(passing_us)
    calls, chunks = map(statistics.median, calls_us), map(statistics.median, chunks_us)
    return [
        Cost(pair, call_us=call, chunk_us=chunk, chunk_ratio=chunk / base_us)
        for pair, call, chunk in zip(PAIRS, calls, chunks, strict=True)
    ]


def _translate_stream(pair: Pair) -> None:
    _feed(translating_reader(pair), SPEECHES[pair.back].stream(CHUNKS))


def _feed(reader: StreamReader, pieces: Sequence[bytes]) -> None:
    feed = reader.feed
    for piece in pieces:
        feed(piece)


def _cpu_us(work: Callable[[], object], *, times: int) -> float:
    began_ns = time.process_time_ns()
    for _ in range(times):
        work()
    return (time.process_time_ns() - began_ns) / 1e3 / times


def _no_price(_: Usage) -> None:
    return None


if __name__ == "__main__":
    sys.exit(main())
