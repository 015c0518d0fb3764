"""Compare HTTP clients where the gateway uses one: 64 calls at once to one upstream, on one event loop.

    python benchmarks/clients.py                 # everything, three rounds
    python benchmarks/clients.py --rounds 5 --only ours aiohttp

Every figure comes from a process of its own: the client under uvloop on the first core, the upstream (a bare
asyncio protocol that answers from memory) on the last. Candidates alternate within a round, so that a noisy moment
hits all of them; medians over the rounds are printed, with the range in brackets. CPU is that of the whole
client process, threads included. Each client is used as its documentation shows it, with its pool as large as the
number of calls at once, and nothing switched off but what would change the bytes.

pyreqwest is not a dependency of this project: it is installed under benchmarks/.venv-clients on the first run, and
left out when that fails.
"""

import argparse
import asyncio
import importlib
import json
import os
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import uvloop

ROOT: Final = Path(__file__).resolve().parent.parent
EXTRA: Final = ROOT / "benchmarks" / ".venv-clients"
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

CONCURRENCY: Final = 64
CHUNK_BYTES: Final = 230
CHUNKS: Final = 100
PACE_S: Final = 0.010
HELD_STREAMS: Final = 1000
REQUEST_BODY: Final = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 900}]}).encode()
ANSWER_BODY: Final = json.dumps({"choices": [{"message": {"role": "assistant", "content": "y" * 600}}]}).encode()
REQUEST_HEADERS: Final = {
    "authorization": "Bearer sk-0123456789abcdef0123456789abcdef",
    "content-type": "application/json",
    "accept": "application/json",
    "user-agent": "benchmark/1",
    "x-request-id": "01HX0000000000000000000000",
}
ANSWER_HEADERS: Final = "".join(
    f"{name}: {value}\r\n"
    for name, value in {
        "Date": "Mon, 01 Jan 2029 00:00:00 GMT",
        "Server": "upstream",
        "X-Request-Id": "req_0123456789abcdef0123456789abcdef",
        "Processing-Ms": "412",
        "X-Ratelimit-Limit-Requests": "10000",
        "X-Ratelimit-Remaining-Requests": "9999",
        "X-Ratelimit-Limit-Tokens": "2000000",
        "X-Ratelimit-Remaining-Tokens": "1999000",
        "Strict-Transport-Security": "max-age=31536000",
        "Via": "1.1 edge",
    }.items()
).encode()

# Clients


class Candidate:
    """What a client has to be able to do. `read` takes the whole body, `chunks` gives it as it comes."""

    name = ""

    @asynccontextmanager
    async def open(self, ca: Path | None) -> AsyncIterator[None]:
        raise NotImplementedError
        yield

    async def read(self, url: str) -> bytes:
        raise NotImplementedError

    def chunks(self, url: str) -> AsyncIterator[bytes]:
        raise NotImplementedError


class Ours(Candidate):
    name = "ours"

    @asynccontextmanager
    async def open(self, ca: Path | None) -> AsyncIterator[None]:
        from providers.adapters import http  # noqa: PLC0415 - only the client under test is loaded

        self.http = http
        self.targets: dict[str, tuple[Any, bytes]] = {}
        self.headers = tuple((name.encode(), value.encode()) for name, value in REQUEST_HEADERS.items())
        async with http.HttpClient(ssl_context=ssl.create_default_context(cafile=ca) if ca else None) as self.client:
            yield

    def _request(self, url: str) -> Any:
        # As the adapters do: the base URL is parsed when the configuration changes, a request is made for every call.
        origin, target = self.targets.get(url) or self._parse(url)
        return self.http.UpstreamRequest("POST", origin, target, self.headers, REQUEST_BODY)

    def _parse(self, url: str) -> tuple[Any, bytes]:
        self.targets[url] = target = self.http.Origin.parse(url)
        return target

    async def read(self, url: str) -> bytes:
        async with await self.client.send(self._request(url)) as response:
            return await response.read(1 << 24)

    async def chunks(self, url: str) -> AsyncIterator[bytes]:
        async with await self.client.send(self._request(url)) as response:
            while (chunk := await response.next_chunk()) is not None:
                yield chunk


class Aiohttp(Candidate):
    name = "aiohttp"

    @asynccontextmanager
    async def open(self, ca: Path | None) -> AsyncIterator[None]:
        aiohttp = importlib.import_module("aiohttp")
        tls = ssl.create_default_context(cafile=ca) if ca else True
        connector = aiohttp.TCPConnector(limit=HELD_STREAMS, ssl=tls)
        async with aiohttp.ClientSession(connector=connector) as self.session:
            yield

    async def read(self, url: str) -> bytes:
        async with self.session.post(url, data=REQUEST_BODY, headers=REQUEST_HEADERS) as response:
            return bytes(await response.read())

    async def chunks(self, url: str) -> AsyncIterator[bytes]:
        async with self.session.post(url, data=REQUEST_BODY, headers=REQUEST_HEADERS) as response:
            async for chunk in response.content.iter_any():
                yield chunk


class Pyreqwest(Candidate):
    name = "pyreqwest"

    @asynccontextmanager
    async def open(self, ca: Path | None) -> AsyncIterator[None]:
        builder = importlib.import_module("pyreqwest.client").ClientBuilder()
        if ca:
            builder = builder.add_root_certificate_pem(ca.read_bytes())  # noqa: ASYNC240 - before anything is measured
        async with builder.build() as self.client:
            yield

    def _post(self, url: str) -> Any:
        return self.client.post(url).headers(REQUEST_HEADERS).body_bytes(REQUEST_BODY)

    async def read(self, url: str) -> bytes:
        response = await self._post(url).build().send()
        return bytes(await response.bytes())

    async def chunks(self, url: str) -> AsyncIterator[bytes]:
        # Without the limit the first chunk waits in its read buffer until the stream is nearly over.
        async with self._post(url).streamed_read_buffer_limit(0).build_streamed() as response:
            while (chunk := await response.body_reader.read_chunk()) is not None:
                yield bytes(chunk)


class Httpx2(Candidate):
    name = "httpx2"

    @asynccontextmanager
    async def open(self, ca: Path | None) -> AsyncIterator[None]:
        httpx2 = importlib.import_module("httpx2")
        verify = ssl.create_default_context(cafile=ca) if ca else True
        limits = httpx2.Limits(max_connections=HELD_STREAMS, max_keepalive_connections=HELD_STREAMS)
        async with httpx2.AsyncClient(verify=verify, limits=limits, timeout=60) as self.client:
            yield

    async def read(self, url: str) -> bytes:
        response = await self.client.post(url, content=REQUEST_BODY, headers=REQUEST_HEADERS)
        return bytes(response.content)

    async def chunks(self, url: str) -> AsyncIterator[bytes]:
        async with self.client.stream("POST", url, content=REQUEST_BODY, headers=REQUEST_HEADERS) as response:
            async for chunk in response.aiter_raw():
                yield chunk


CANDIDATES: Final[dict[str, Callable[[], Candidate]]] = {kind.name: kind for kind in (Ours, Aiohttp, Pyreqwest, Httpx2)}

# Measures: what runs in the process of the client


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def measure_unary(client: Candidate, base: str, seconds: float) -> dict[str, float]:
    """Count calls for some seconds, after as many to warm up as there are connections."""
    url = f"{base}/unary"
    for _ in range(3):
        await asyncio.gather(*[client.read(url) for _ in range(CONCURRENCY)])
    count = 0
    end_at = time.perf_counter() + seconds

    async def worker() -> None:
        nonlocal count
        while time.perf_counter() < end_at:
            if len(await client.read(url)) != len(ANSWER_BODY):
                raise RuntimeError("a body of the wrong length")
            count += 1

    cpu_s, wall_s = _cpu_s(), time.perf_counter()
    await asyncio.gather(*[worker() for _ in range(CONCURRENCY)])
    cpu_s, wall_s = _cpu_s() - cpu_s, time.perf_counter() - wall_s
    return {"calls_per_s": count / wall_s, "cpu_us_per_call": cpu_s / count * 1e6}


async def measure_stream(client: Candidate, base: str, seconds: float) -> dict[str, float]:
    """Take paced streams. A chunk carries the time it was sent, so that what is held back shows as its age."""
    url = f"{base}/stream"
    await asyncio.gather(*[_first_token_ms(client, url) for _ in range(CONCURRENCY)])
    first_ms: list[float] = []
    ages_ms: list[float] = []
    received = 0

    async def worker(number: int) -> None:
        nonlocal received
        await asyncio.sleep(number * PACE_S / CONCURRENCY)
        for _ in range(max(1, round(seconds / (CHUNKS * PACE_S)))):
            started_at = time.monotonic_ns()
            first = True
            async for chunk in client.chunks(url):
                now = time.monotonic_ns()
                if first:
                    first_ms.append((now - started_at) / 1e6)
                    first = False
                ages_ms.append((now - int(chunk[:20])) / 1e6)
                received += len(chunk)

    cpu_s = _cpu_s()
    await asyncio.gather(*[worker(number) for number in range(CONCURRENCY)])
    cpu_s = _cpu_s() - cpu_s
    return {
        "cpu_us_per_chunk": cpu_s / (received / CHUNK_BYTES) * 1e6,
        "first_token_p50_ms": statistics.median(first_ms),
        "first_token_p99_ms": statistics.quantiles(first_ms, n=100)[98],
        "chunk_age_p50_ms": statistics.median(ages_ms),
        "chunk_age_p99_ms": statistics.quantiles(ages_ms, n=100)[98],
    }


async def _first_token_ms(client: Candidate, url: str) -> None:
    async for _ in client.chunks(url):
        pass


async def measure_held(client: Candidate, base: str, seconds: float) -> dict[str, float]:
    """Open streams that fall silent after their first chunk, and see what each costs to keep."""
    url = f"{base}/held"
    await client.read(f"{base}/unary")
    before_kib = _private_kib()
    opened = 0
    all_open = asyncio.Event()

    async def hold() -> None:
        nonlocal opened
        async for _ in client.chunks(url):
            opened += 1
            if opened == HELD_STREAMS:
                all_open.set()

    tasks = [asyncio.ensure_future(hold()) for _ in range(HELD_STREAMS)]
    async with asyncio.timeout(60):
        await all_open.wait()
    await asyncio.sleep(0.2)
    kib = (_private_kib() - before_kib) / HELD_STREAMS
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {"kib_per_stream": kib}


def _private_kib() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


MEASURES: Final[dict[str, Callable[[Candidate, str, float], Awaitable[dict[str, float]]]]] = {
    "unary": measure_unary,
    "stream": measure_stream,
    "held": measure_held,
}

# The upstream


class Upstream(asyncio.Protocol):
    """Answers from memory: /unary at once, /stream in paced chunks, /held with one chunk and then silence."""

    def __init__(self) -> None:
        self.buffer = b""
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found or len(rest) < len(REQUEST_BODY):
            return
        self.buffer = rest[len(REQUEST_BODY) :]
        if b"/unary" in head[:40]:
            self.transport.write(UNARY_ANSWER)
        else:
            self.transport.write(STREAM_HEAD + self._chunk())
            if b"/stream" in head[:40]:
                loop = asyncio.get_running_loop()
                self.left = CHUNKS - 1
                self.next_at = loop.time() + PACE_S
                self.timer = loop.call_at(self.next_at, self._tick)

    def _tick(self) -> None:
        self.left -= 1
        self.transport.write(self._chunk() + (b"" if self.left else b"0\r\n\r\n"))
        if self.left:
            self.next_at += PACE_S
            self.timer = asyncio.get_running_loop().call_at(self.next_at, self._tick)

    def _chunk(self) -> bytes:
        text = b"%020d" % time.monotonic_ns()
        return b"%x\r\n%s\r\n" % (CHUNK_BYTES, text.ljust(CHUNK_BYTES, b"."))


UNARY_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\n" + ANSWER_HEADERS + b"Content-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(ANSWER_BODY), ANSWER_BODY)
)
STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\n" + ANSWER_HEADERS + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


async def serve(certificate: Path) -> None:
    """Listen on two free ports, plain and TLS, and say which."""
    loop = asyncio.get_running_loop()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    servers = [
        await loop.create_server(Upstream, "127.0.0.1", 0, backlog=2048),
        await loop.create_server(Upstream, "127.0.0.1", 0, backlog=2048, ssl=tls),
    ]
    print(*[server.sockets[0].getsockname()[1] for server in servers], flush=True)
    await asyncio.Event().wait()


@contextmanager
def upstream(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Run the upstream beside the measurement: its two base URLs, and the root its certificate hangs from."""
    trustme = importlib.import_module("trustme")
    authority = trustme.CA()
    ca, certificate = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(ca))
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(certificate)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        plain, tls = process.stdout.readline().split()
        yield f"http://127.0.0.1:{plain}", f"https://localhost:{tls}", ca
    finally:
        process.terminate()
        process.communicate()


# The comparison


def run_one(name: str, measure: str, base: str, ca: Path | None, seconds: float) -> dict[str, float]:
    """Take one figure in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(EXTRA)}
    command = [sys.executable, __file__, "--run", name, measure, base, str(ca or ""), str(seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} {measure}: {done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout)
    return result


async def _run_here(name: str, measure: str, base: str, ca: str, seconds: float) -> None:
    client = CANDIDATES[name]()
    async with client.open(Path(ca) if ca else None):
        print(json.dumps(await MEASURES[measure](client, base, seconds)))


def _pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core]})


def available(wanted: list[str]) -> list[str]:
    """Install what is missing, and leave out what cannot be had."""
    if "pyreqwest" in wanted and not (EXTRA / "pyreqwest").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(EXTRA), "pyreqwest"]
        if subprocess.run(command, check=False).returncode:
            print("pyreqwest cannot be installed: left out")
            return [name for name in wanted if name != "pyreqwest"]
    return wanted


def compare(names: list[str], rounds: int, seconds: float) -> None:
    """Run every candidate in every setting, round by round, and print medians."""
    samples: dict[tuple[str, str, str], list[float]] = {}
    settings = [("unary", "http"), ("unary", "https"), ("stream", "http"), ("stream", "https"), ("held", "http")]
    with tempfile.TemporaryDirectory() as folder, upstream(Path(folder)) as (plain, tls, ca):
        for number in range(rounds):
            order = names[number % len(names) :] + names[: number % len(names)]
            for measure, scheme in settings:
                for name in order:
                    base, trusted = (plain, None) if scheme == "http" else (tls, ca)
                    for figure, value in run_one(name, measure, base, trusted, seconds).items():
                        samples.setdefault((f"{measure} {scheme}", figure, name), []).append(value)
            print(f"round {number + 1} of {rounds} done", file=sys.stderr)
    print(table(samples, names))


def table(samples: dict[tuple[str, str, str], list[float]], names: list[str]) -> str:
    """Write medians with their range as Markdown; x is the median of each round's ratio to the first candidate."""
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for setting, figure in dict.fromkeys((setting, figure) for setting, figure, _ in samples):
        base = samples[setting, figure, names[0]]
        cells = []
        for name in names:
            values = samples[setting, figure, name]
            ratio = statistics.median(value / first for value, first in zip(values, base, strict=True))
            shown = [
                f"{value:,.{0 if value >= 100 else 1}f}"
                for value in (statistics.median(values), min(values), max(values))
            ]
            cells.append(f"{shown[0]} ({shown[1]} - {shown[2]}) {ratio:.2f}x")
        lines.append(f"| {setting}, {figure} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Read the command line: compare, or be one of the processes of a comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", nargs="+", choices=list(CANDIDATES), default=list(CANDIDATES))
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--run", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _pin(-1)
        uvloop.run(serve(Path(options.serve)))
    elif options.run:
        _pin(0)
        name, measure, base, ca, seconds = options.run
        uvloop.run(_run_here(name, measure, base, ca, float(seconds)))
    else:
        compare(available(options.only), options.rounds, options.seconds)


if __name__ == "__main__":
    main()
