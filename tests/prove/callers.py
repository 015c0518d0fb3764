"""Those who call: many at once, whole answers and streams, some of whom hang up in the middle."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import aiohttp

How = Literal["whole", "refused", "failed", "broken", "hung up"]
CALL_WITHIN_S = 120.0
FILLER_BYTES_MAX = 400
UPSTREAM_CODE = "mock_error"  # what the provider refuses by itself


@dataclass(frozen=True, slots=True)
class Plan:
    """A call to make: how long its answer shall be, and everything that shall go wrong with it."""

    tokens: int = 20
    max_tokens: int | None = None
    stream: bool = False
    asks_usage: bool = False
    directions: str = ""
    filler: str = ""
    hang_up_after_s: float | None = None
    model: str = "plain"

    def body(self) -> dict[str, Any]:
        """Return the request."""
        text = f"[[mock tokens={self.tokens} {self.directions}]] {self.filler}"
        body: dict[str, Any] = {"model": self.model, "messages": [{"role": "user", "content": text}]}
        body["max_tokens"] = self.max_tokens or self.tokens
        if self.stream:
            body["stream"] = True
        if self.asks_usage:
            body["stream_options"] = {"include_usage": True}
        return body


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call went, as its caller saw it."""

    plan: Plan
    request_id: str
    how: How
    status: int = 0
    code: str = ""
    cost_usd: str = ""


@dataclass
class Callers:
    """Callers at one or several gateways with the key of that name, which begins the ids of their requests as well."""

    name: str
    urls: Sequence[str]
    key: str
    answers: list[Answer] = field(default_factory=list)
    made: int = 0

    async def __aenter__(self) -> Self:
        # A connection a call: calls then spread over the workers, and a killed one breaks only its own.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=CALL_WITHIN_S),
            headers={"authorization": f"Bearer {self.key}"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    def at(self, url: str) -> Self:
        """Call this gateway alone from here on."""
        self.urls = [url]
        return self

    async def call(self, plan: Plan) -> Answer:
        """Make one call and see how it goes."""
        self.made += 1
        request_id = f"{self.name}-{self.made}"
        url = self.urls[self.made % len(self.urls)]
        asked = self._ask(url, request_id, plan)
        try:
            answer = await asyncio.wait_for(asked, plan.hang_up_after_s)
        except TimeoutError:
            answer = Answer(plan, request_id, "hung up" if plan.hang_up_after_s is not None else "broken")
        except (aiohttp.ClientError, ConnectionError):
            answer = Answer(plan, request_id, "broken")
        self.answers.append(answer)
        return answer

    async def call_together(self, plans: Iterable[Plan]) -> list[Answer]:
        """Make calls all at once."""
        return await asyncio.gather(*(self.call(plan) for plan in plans))

    async def keep_calling(
        self, plan: Callable[[], Plan], *, callers: int, until: Callable[[], bool], pause_s: float = 0.0
    ) -> None:
        """Let so many callers make one call after the other until a condition holds; they rest after a refusal."""

        async def one() -> None:
            while not until():
                answer = await self.call(plan())
                if answer.how != "whole":
                    await asyncio.sleep(0.05)
                await asyncio.sleep(pause_s)

        await asyncio.gather(*(one() for _ in range(callers)))

    def count(self, how: How) -> int:
        """Return how many calls went so."""
        return sum(answer.how == how for answer in self.answers)

    def troubles(self) -> str:
        """Return how the calls went that brought no answer, the most frequent first."""
        found = Counter(
            f"{one.how} {one.status or ''} {one.code}".strip() for one in self.answers if one.how != "whole"
        )
        return ", ".join(f"{count} {trouble}" for trouble, count in found.most_common(5))

    async def _ask(self, url: str, request_id: str, plan: Plan) -> Answer:
        headers = {"x-request-id": request_id}
        async with self._session.post(f"{url}/v1/chat/completions", json=plan.body(), headers=headers) as reply:
            body = await reply.read()
            cost = reply.headers.get("x-gateway-cost-usd", "")
            if reply.status == 200:
                whole = not plan.stream or b"data: [DONE]" in body
                return Answer(plan, request_id, "whole" if whole else "failed", 200, cost_usd=cost)
            code = _code_of(body)
            how: How = "refused" if reply.status in (401, 429, 503) and code != UPSTREAM_CODE else "failed"
            return Answer(plan, request_id, how, reply.status, code)


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run a load to its end."""

    async def all_of_it() -> None:
        await work()

    asyncio.run(all_of_it())


async def under_load(
    callers: Callers,
    disturb: Callable[[], Awaitable[None]],
    *,
    plan: Callable[[], Plan],
    callers_count: int,
    pause_s: float = 0.0,
) -> None:
    """Let so many callers call for as long as something else goes on."""
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(callers.keep_calling(plan, callers=callers_count, until=over.is_set, pause_s=pause_s))
        try:
            await disturb()
        finally:
            over.set()


def filler(chance: random.Random) -> str:
    """Return text of random length that no tokenizer knows the words of."""
    return chance.randbytes(chance.randint(8, FILLER_BYTES_MAX // 2)).hex()


def any_plan(chance: random.Random, *, tokens_max: int = 200, slack: float = 0.5, **fields: Any) -> Plan:
    """Return a call of random length, a stream every other time, that asks for more tokens than it will get."""
    tokens = chance.randint(1, tokens_max)
    usual: dict[str, Any] = {
        "tokens": tokens,
        "max_tokens": tokens + int(tokens * slack * chance.random()),
        "stream": chance.random() < 0.5,
        "filler": filler(chance),
    }
    usual["asks_usage"] = usual["stream"] and chance.random() < 0.5
    return Plan(**(usual | fields))


def _code_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "no envelope"
