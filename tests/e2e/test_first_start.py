"""What a newcomer meets: the first start, the command it prints, the second start, the end, and what is refused."""

import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.services.gateway import COMMAND, Gateway, clean_environment
from tests.services.waiting import eventually
from tests.services.wire import Wire

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway as `make run` starts it on an empty data directory."""
    with Gateway(tmp_path_factory.mktemp("fresh")) as running:
        running.keys["main"] = welcomed(running.output)["key"]
        yield running


def welcomed(text: str) -> dict[str, str]:
    """Read what the welcome says."""
    match = re.search(
        r"Base URL +(?P<base>\S+)\n +Demo key +(?P<key>sk-gw-\S+)\n"
        r" +Admin +(?P<admin>\S+) +user (?P<user>\S+) +password (?P<password>\S+)\n",
        text,
    )
    assert match, f"no welcome in {text!r}"
    return match.groupdict()


def run(*arguments: str, environment: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(COMMAND), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment() | (environment or {}),
        check=False,
    )


def test_the_welcome_is_there_before_the_gateway_ends(fresh: Gateway) -> None:
    said = welcomed(fresh.output)
    assert said["base"] == f"{fresh.base_url}/v1"
    assert said["admin"] == f"{fresh.base_url}/admin/"


def test_the_printed_curl_works(fresh: Gateway) -> None:
    printed = fresh.output[fresh.output.index("  curl ") :]
    command = shlex.split(printed.replace("\\\n", " "))
    assert command[0] == "curl"
    done = subprocess.run(["curl", "-sS", *command[1:]], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == "You said: Hello"


def test_the_printed_password_opens_the_admin(fresh: Gateway) -> None:
    said = welcomed(fresh.output)
    page = fresh.http.get("/admin/login/")
    token = page.cookies["csrftoken"]
    form = {"username": said["user"], "password": said["password"], "csrfmiddlewaretoken": token, "next": "/admin/"}
    answer = fresh.http.post("/admin/login/", data=form, headers={"referer": said["admin"]})
    assert (answer.status_code, answer.headers["location"]) == (302, "/admin/")
    fresh.http.cookies.clear()


def test_every_seeded_model_answers(fresh: Gateway) -> None:
    models = [model["id"] for model in fresh.http.get("/v1/models", headers=fresh.bearer()).json()["data"]]
    assert {"mock", "mock-small", "mock-large", "mock-embedding"} <= set(models)
    for model in models:
        path = "/v1/embeddings" if "embedding" in model else "/v1/chat/completions"
        asked = {"input": "x"} if "embedding" in model else {"messages": [{"role": "user", "content": "x"}]}
        assert fresh.post(path, {"model": model, **asked}).status_code == 200, model


def test_the_summary_says_what_is_served(fresh: Gateway) -> None:
    [summary] = fresh.logged("serving")
    assert summary["address"] == fresh.base_url.removeprefix("http://")
    assert (summary["database"], summary["counters"], summary["workers"]) == ("sqlite", "in-process", 1)
    assert summary["routes"] >= 4
    assert summary["providers"] == ["mock"]
    assert summary["version"]


@pytest.mark.parametrize("options", [(), ("--stream",)], ids=["whole", "streamed"])
def test_chat_on_the_command_line(fresh: Gateway, options: tuple[str, ...]) -> None:
    environment = {"LLMGATEWAY_URL": fresh.base_url, "LLMGATEWAY_API_KEY": fresh.keys["main"]}
    done = run("chat", "Hello there", *options, environment=environment)
    assert (done.returncode, done.stdout.strip()) == (0, "You said: Hello there"), done.stderr
    assert re.fullmatch(r"\s*cost: \$\S+\s*", done.stderr)


def test_chat_says_what_is_wrong_in_one_line(fresh: Gateway) -> None:
    for arguments, said in (
        (("--url", fresh.base_url, "--key", "sk-gw-wrong"), "Incorrect API key"),
        (("--url", fresh.base_url, "--key", fresh.keys["main"], "--model", "nothing"), "does not exist"),
        (("--url", "http://127.0.0.1:9", "--key", "x"), "can't be reached"),
        ((), "no key"),
    ):
        done = run("chat", "Hello", *arguments)
        assert done.returncode != 0
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_status_on_the_command_line(fresh: Gateway) -> None:
    done = run("status", "--url", fresh.base_url)
    assert (done.returncode, "status: ready" in done.stdout) == (0, True), done.stderr
    done = run("status", "--url", "http://127.0.0.1:9")
    assert done.returncode != 0
    assert "can't be reached" in done.stderr


def test_a_port_that_is_taken(fresh: Gateway, tmp_path: Path) -> None:
    port = fresh.base_url.rpartition(":")[2]
    done = run("serve", "--port", port, "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert re.fullmatch(rf"llmgateway: can't listen on 127\.0\.0\.1:{port}: Address already in use\n", done.stderr)


def test_several_workers_without_redis(tmp_path: Path) -> None:
    done = run("serve", "--workers", "2", "--port", "0", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert re.fullmatch(r"llmgateway: 2 workers need Redis.*REDIS_URL.*\n", done.stderr)


def test_a_wrong_configuration_says_where(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("routes:\n  - name: x\n    targets:\n      - {provider: nobody, modle: y}\n")
    done = run("serve", "--config", str(file), "--port", "0", "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "modle" in done.stderr
    assert f"{file}:4" in done.stderr or "line 4" in done.stderr


def test_draining_then_a_second_start(tmp_path: Path) -> None:
    """SIGTERM while a stream runs lets it end; what it cost is in the database; starting again changes nothing."""
    gateway = Gateway(tmp_path)
    try:
        said = welcomed(gateway.output)
        gateway.keys["main"] = said["key"]
        answer = _stream_while_stopping(gateway)
        assert b"data: [DONE]\n\n" in answer
        assert answer.endswith(b"0\r\n\r\n")
        assert answer.count(b'"content":') == 101
        [record] = gateway.records_now("drained")
        assert (record["ending"], record["output_tokens"]) == ("completed", 100)
        assert record["cost_nanos"] is not None
        before = _configuration(gateway.data_dir)

        gateway.start_again()
        assert gateway.output == ""
        assert said["key"] not in gateway.log
        assert said["password"] not in gateway.log
        assert _configuration(gateway.data_dir) == before
        assert gateway.chat(model="mock").status_code == 200
        gateway.stop()
    finally:
        gateway.close(orderly=False)


@pytest.mark.parametrize("pause_s", [0.0, 1.5])
def test_stopping_while_it_starts(tmp_path: Path, pause_s: float) -> None:
    """Its children have no signal handlers yet, or are about to; either way the end is an orderly one, and soon."""
    gateway = Gateway(tmp_path, wait=False)
    try:
        eventually(gateway.children, within_s=60)
        time.sleep(pause_s)
        gateway.stop()
    finally:
        gateway.close(orderly=False)


def _stream_while_stopping(gateway: Gateway) -> bytes:
    messages = [{"role": "user", "content": "[[mock pace_ms=20 tokens=100]]"}]
    with Wire(gateway.base_url) as caller:
        body = {"model": "mock", "stream": True, "messages": messages}
        caller.post("/v1/chat/completions", body, gateway.bearer() | {"x-request-id": "drained"})
        said = caller.receive_until(b"quick")
        gateway.process.send_signal(signal.SIGTERM)
        said += caller.receive_all()
    gateway.stop()
    return said


def _configuration(data_dir: Path) -> dict[str, list[tuple[Any, ...]]]:
    tables = ("tenants_tenant", "tenants_user", "tenants_key", "providers_provider", "routing_route", "routing_target")
    with closing(sqlite3.connect(data_dir / "gateway.sqlite3")) as database:
        found = {table: database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables}
        found["prices"] = database.execute("SELECT count(*) FROM providers_price").fetchall()
    return found


def test_a_worker_that_dies_is_replaced(fresh: Gateway) -> None:
    [worker] = fresh.worker_pids()
    fresh.forgiven.add("process died; starting it again")
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: fresh.worker_pids() not in ([], [worker]), within_s=20)
    assert fresh.http.get("/health").status_code == 200
