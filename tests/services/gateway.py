"""The gateway as its users have it: `llmgateway serve`, a process with a configuration file and a data directory."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

import httpx2
import openai
import psycopg
import yaml
from psycopg.rows import dict_row

from tests.services.operator import Operator
from tests.services.waiting import eventually

COMMAND = Path(sys.executable).with_name("llmgateway")
READY_WITHIN_S = 90.0
STOPPED_WITHIN_S = 60.0
# What a developer's shell may have and a test must not see.
_PRIVATE = ("GATEWAY_", "DATABASE_URL", "REDIS_URL", "DJANGO_", "LLMGATEWAY_", "HOST", "PORT")


class Gateway:
    """A running `llmgateway serve`.

    `keys` has the virtual keys of the configuration by name; `forgiven` the errors in the log that a test provoked.
    """

    def __init__(
        self,
        directory: Path,
        *,
        config: dict[str, Any] | None = None,
        workers: int = 1,
        environment: dict[str, str] | None = None,
        port: int = 0,
        wait: bool = True,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.data_dir = directory / "data"
        self.config = config
        self.workers = workers
        self.keys = {key["name"]: key["secret"] for key in (config or {}).get("keys", ()) if "secret" in key}
        self.environment = clean_environment() | {"GATEWAY_LOG_CALLS": "true"} | (environment or {})
        self.forgiven: set[str] = set()
        self.base_url = ""
        self._http: httpx2.Client | None = None
        self._operator: Operator | None = None
        self._start(port)
        if wait:
            self.wait_until_ready()

    def _start(self, port: int) -> None:
        command = [str(COMMAND), "serve", "--port", str(port), "--data-dir", str(self.data_dir)]
        command += ["--workers", str(self.workers)]
        if self.config is not None:
            file = self.directory / "gateway.yaml"
            file.write_text(yaml.safe_dump(self.config))
            command += ["--config", str(file)]
        self._stdout, self._stderr = self.directory / "stdout", self.directory / "stderr"
        self._log_starts_at = self._stderr.stat().st_size if self._stderr.exists() else 0
        with self._stdout.open("wb") as out, self._stderr.open("ab") as err:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=err, cwd=self.directory, env=self.environment, start_new_session=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(orderly=kind is None)

    # Its life

    def wait_until_ready(self) -> None:
        """Wait until calls would be served."""
        try:
            summary = eventually(lambda: self._ended() or self.logged("serving"), within_s=READY_WITHIN_S)
            self.base_url = f"http://{summary[-1]['address']}"
            self._http = httpx2.Client(base_url=self.base_url, timeout=60)
            eventually(lambda: self._ended() or self._is_ready(), within_s=READY_WITHIN_S)
        except BaseException:
            self.close(orderly=False)
            print(self.log)  # noqa: T201 - pytest shows it with the failure
            raise

    def start_again(self) -> None:
        """Start it on the same data after it was stopped."""
        self._start(0)
        self.wait_until_ready()

    def stop(self) -> None:
        """End it by SIGTERM and require an orderly end: status 0, and no fault of the gateway in its log."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOPPED_WITHIN_S)
        self._close_clients()
        assert status == 0, f"llmgateway ended with status {status}:\n{self.log[-5000:]}"
        assert not [line for line in self.log.splitlines() if not _is_json(line)], self.log[-10_000:]
        faults = [line for line in self.lines if line["level"] in ("ERROR", "CRITICAL")]
        assert not [line for line in faults if line["message"] not in self.forgiven], self.log[-10_000:]

    def close(self, *, orderly: bool = True) -> None:
        """Stop it; whatever happens, leave no process behind."""
        children = self.children()
        try:
            if orderly:
                self.stop()
        finally:
            self._close_clients()
            for pid in [self.process.pid, *children]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def _ended(self) -> None:
        status = self.process.poll()
        assert status is None, f"llmgateway ended with status {status}:\n{self.output}\n{self.log[-5000:]}"

    def _is_ready(self) -> bool:
        try:
            return self.http.get("/ready").status_code == 200
        except httpx2.TransportError:
            return False

    def _close_clients(self) -> None:
        if self._http is not None:
            self._http.close()
        if self._operator is not None:
            self._operator.close()
            self._operator = None

    # What it says

    @property
    def output(self) -> str:
        """What it printed since it was last started."""
        return self._stdout.read_text()

    @property
    def log(self) -> str:
        """What it logged since it was last started."""
        return self._stderr.read_bytes()[self._log_starts_at :].decode(errors="replace")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of its log that are JSON, as all of them should be."""
        return [json.loads(line) for line in self.log.splitlines() if _is_json(line)]

    def logged(self, message: str, **facts: Any) -> list[dict[str, Any]]:
        """Return the log lines with that message and those facts."""
        return [
            line
            for line in self.lines
            if line["message"] == message and all(line.get(name) == value for name, value in facts.items())
        ]

    # Its callers

    @property
    def http(self) -> httpx2.Client:
        """A plain client without a key."""
        assert self._http is not None
        return self._http

    def openai(self, key: str = "main", **options: Any) -> openai.OpenAI:
        """OpenAI's own client with one of the keys; it retries nothing unless told to. Close it."""
        return openai.OpenAI(base_url=f"{self.base_url}/v1", api_key=self.keys[key], **{"max_retries": 0, **options})

    def bearer(self, key: str = "main") -> dict[str, str]:
        """Return the header that carries a key."""
        return {"authorization": f"Bearer {self.keys[key]}"}

    def post(self, path: str, body: Any, *, key: str = "main", **headers: str) -> httpx2.Response:
        """Post a body, bytes as they are and everything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(
            path, content=content, headers=self.bearer(key) | {"content-type": "application/json"} | named
        )

    def chat(
        self, text: str = "Hello", *, model: str = "mock-small", key: str = "main", **extra: Any
    ) -> httpx2.Response:
        """Send one chat message; `request_id` goes into the header, everything else into the body."""
        request_id = extra.pop("request_id", None)
        headers = {"x_request_id": request_id} if request_id else {}
        body = {"model": model, "messages": [{"role": "user", "content": text}], **extra}
        return self.post("/v1/chat/completions", body, key=key, **headers)

    def usage(self, request_id: str, *, key: str = "main") -> dict[str, Any]:
        """Return what the usage endpoint says of a request."""
        answer = self.http.get(f"/v1/gateway/usage/{request_id}", headers=self.bearer(key))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    # Its operators

    def shell(self, code: str) -> str:
        """Run Python with the ORM beside the running gateway and return what it printed."""
        if self._operator is None:
            environment = self.environment | {"GATEWAY_DATA_DIR": str(self.data_dir)}
            self._operator = Operator(environment=environment, directory=self.directory)
        return self._operator.run(code)

    def apply(self, config: dict[str, Any]) -> None:
        """Put a declaration in place while the gateway runs, as `manage.py seed FILE --update` does."""
        file = self.directory / "change.yaml"
        file.write_text(yaml.safe_dump(config))
        self.shell(f"from django.core.management import call_command\ncall_command('seed', {str(file)!r}, update=True)")

    def records(self, request_id: str, *, count: int = 1) -> list[dict[str, Any]]:
        """Return the usage records of a request from the database, in order of attempts, once there are so many."""
        return eventually(lambda: found if len(found := self.records_now(request_id)) >= count else None)

    def records_now(self, request_id: str) -> list[dict[str, Any]]:
        """Return the usage records of a request that are in the database now."""
        query = "SELECT * FROM usage_usagerecord WHERE request_id = {} ORDER BY attempt_number"
        url = self.environment.get("DATABASE_URL")
        if url:
            with psycopg.connect(url, row_factory=dict_row) as database:
                return database.execute(query.format("%s"), [request_id]).fetchall()
        with closing(sqlite3.connect(self.data_dir / "gateway.sqlite3", timeout=20)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query.format("?"), [request_id])]

    # Its processes

    def children(self) -> list[int]:
        """Return the process ids of its workers and its housekeeper."""
        try:
            listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        except OSError:
            return []
        return [int(pid) for pid in listed.split()]

    def worker_pids(self) -> list[int]:
        """Return the process ids of its workers."""
        return [pid for pid in self.children() if b"gateway_project.worker" in _command_line(pid)]


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what would configure a gateway, or a client of one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    return {name: value for name, value in kept.items() if not name.endswith(("_API_KEY", "_BASE_URL"))}


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
