"""The same answers, whole and streamed, with tokens of every class: they cost the same, and what the bill says."""

import random
from collections import defaultdict
from collections.abc import Sequence

from tests.prove.accounts import usd
from tests.prove.bed import Bed
from tests.prove.callers import Plan, filler, run
from tests.prove.report import Finding

CLASSES = ("cached", "cache_write", "audio_in", "reasoning", "audio_out")


def classes(bed: Bed, *, short: bool) -> Finding:
    """Streamed cost equals unstreamed cost for the same answers, for every token class."""
    finding = Finding("whole and streamed")
    callers = bed.callers("classes")
    asked = _answers(random.Random(5), count=12 if short else 60)
    made: dict[str, int] = {}

    async def work() -> None:
        async with callers:
            plans = [(n, plan) for n, ways in enumerate(asked) for plan in ways]
            answers = await callers.call_together([plan for _, plan in plans])
            for (number, _), answer in zip(plans, answers, strict=True):
                made[answer.request_id] = number
                finding.expect(answer.how == "whole", f"{answer.request_id}: {answer.how} {answer.status}")

    run(work)
    finding.take(callers)
    finding.books = bed.compare("classes")
    costs: dict[int, set[int | None]] = defaultdict(set)
    for record in bed.accounts.records("classes"):
        costs[made[record.request_id]].add(record.cost_nanos)
    differing = [number for number, found in costs.items() if len(found) > 1]
    finding.expect(not differing, f"streams cost other than whole answers: {[costs[n] for n in differing][:3]}")
    finding.remarks.append(f"{len(costs)} answers told in 3 ways each, of {usd(_smallest(costs))} and more")
    return finding


def _answers(chance: random.Random, *, count: int) -> list[Sequence[Plan]]:
    """Return answers to ask for, each whole, as a stream, and as a stream that tells its usage.

    The first ones have one class alone, the others any mixture.
    """
    mixtures = [{name: chance.randint(1, 40)} for name in CLASSES]
    while len(mixtures) < count:
        mixtures.append({name: chance.choice((0, chance.randint(1, 60))) for name in CLASSES})
    return [_ways(chance, mixture) for mixture in mixtures]


def _ways(chance: random.Random, mixture: dict[str, int]) -> Sequence[Plan]:
    directions = " ".join(f"{name}={count}" for name, count in mixture.items())
    usual = {"tokens": chance.randint(1, 80), "max_tokens": 400, "directions": directions, "filler": filler(chance)}
    return [
        Plan(model="classes", stream=stream, asks_usage=asks, **usual)  # type: ignore[arg-type]
        for stream, asks in ((False, False), (True, False), (True, True))
    ]


def _smallest(costs: dict[int, set[int | None]]) -> int:
    return min((cost for found in costs.values() for cost in found if cost is not None), default=0)
