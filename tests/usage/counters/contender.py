"""One process of several that want the same: asks as often as it is told to, tells how often it was granted.

python contender.py URL PREFIX NAME CALLS LIMIT
"""

import asyncio
import sys

from usage.counters.base import Check
from usage.counters.redis import RedisCounters
from usage.windows import LIFETIME, Window


async def contend(url: str, prefix: str, name: str, calls: int, limit: int) -> int:
    counters = RedisCounters(url, worker=name, prefix=prefix)
    counters.start()
    assert await counters.wait_trusted(20)
    checks = [Check("requests", Window("sliding", 3600.0), 1, limit), Check("budget", LIFETIME, 3, 3 * limit + 2, True)]
    verdicts = await asyncio.gather(*[counters.reserve(checks) for _ in range(calls)])
    await counters.aclose()
    return sum(verdict.refused is None for verdict in verdicts)


if __name__ == "__main__":
    url, prefix, name, calls, limit = sys.argv[1:]
    sys.stdout.write(str(asyncio.run(contend(url, prefix, name, int(calls), int(limit)))))
