"""Load of whole answers: drive `wrk`, which is cheap enough to keep ahead of every candidate.

The Lua script builds its requests once and hands them out in turn; one fixed body would let a cache or a coalescing
gateway answer without calling the provider.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import workload
from benchmarks.process import CandidateError

_DISTINCT_REQUESTS = 200

_SCRIPT = """
local wanted = {requests}
local ready, turn = {{}}, 0
function init(args)
  for i, body in ipairs(wanted) do ready[i] = wrk.format("POST", "{path}", {headers}, body) end
end
function request()
  turn = turn % #ready + 1
  return ready[turn]
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\n{{"calls":%d,"duration_us":%d,"failed":%d,"p50_us":%.1f,"p99_us":%.1f}}\\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Door:
    """Where and how a candidate wants to be asked."""

    port: int
    path: str
    stream_path: str
    model: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UnaryLoad:
    """What one run of `wrk` saw."""

    calls: int
    duration_us: int
    failed: int
    p50_us: float
    p99_us: float

    @property
    def calls_per_s(self) -> float:
        return self.calls * 1e6 / self.duration_us


def write_script(door: Door, folder: Path) -> Path:
    """Write the Lua script for one candidate and return its path."""
    bodies = [workload.request_body(door.model, number=i).decode() for i in range(_DISTINCT_REQUESTS)]
    headers = {"content-type": "application/json", **door.headers}
    text = _SCRIPT.format(
        requests="{" + ",".join(f"[=[{body}]=]" for body in bodies) + "}",
        path=door.path,
        headers="{" + ",".join(f"[{json.dumps(k)}]={json.dumps(v)}" for k, v in headers.items()) + "}",
    )
    script = folder / "unary.lua"
    script.write_text(text)
    return script


def run_wrk(door: Door, script: Path, *, connections: int, seconds: int) -> UnaryLoad:
    """Load a candidate and return calls, failures and latency; raises CandidateError when nothing was answered."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(script)]
    command.append(f"http://127.0.0.1:{door.port}")
    run = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if run.returncode:
        raise CandidateError(f"wrk: {run.stderr.strip()[:200]}")
    load = parse_wrk(run.stdout)
    if load.calls == 0 or load.failed > load.calls * 0.01:
        raise CandidateError(f"{load.failed} of {load.calls} calls failed at {connections} connections")
    return load


def parse_wrk(output: str) -> UnaryLoad:
    """Read the line of JSON that the script prints last."""
    line = next(line for line in reversed(output.splitlines()) if line.startswith("{"))
    return UnaryLoad(**json.loads(line))
