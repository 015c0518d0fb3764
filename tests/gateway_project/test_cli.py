"""The command line's words, statuses and complaints."""

from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from gateway_project import chat, cli, start


@pytest.fixture
def run() -> Any:
    runner = CliRunner()
    return lambda *words, **env: runner.invoke(cli.main, list(words), env={"LLMGATEWAY_API_KEY": None} | env)


def test_serve_hands_its_options_on(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(start, "serve", lambda **options: asked.update(options) or 3)
    monkeypatch.setenv("GATEWAY_DATA_DIR", "before")
    result = run("serve", "--port", "81", "--workers", "2", "--data-dir", str(tmp_path), HOST="0.0.0.0")
    assert result.exit_code == 3
    assert asked == {"config": None, "host": "0.0.0.0", "port": 81, "workers": 2}


def test_chat_wants_a_key(run: Any) -> None:
    result = run("chat", "hello")
    assert result.exit_code == 2
    assert "no key" in result.output


def test_chat_sends_the_question(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(chat, "send", lambda question, *, stream: asked.append((question, stream)))
    result = run("chat", "hello", "--model", "m", "--stream", "--key", "k", "--url", "http://x")
    assert result.exit_code == 0
    assert asked == [(chat.Question(url="http://x", key="k", model="m", message="hello"), True)]


@pytest.mark.parametrize(
    ("error", "said"), [(chat.Refused("no credit"), "no credit"), (httpx2.ConnectError("refused"), "can't be reached")]
)
def test_chat_tells_what_went_wrong(run: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str) -> None:
    def fail(question: Any, *, stream: bool) -> None:
        raise error

    monkeypatch.setattr(chat, "send", fail)
    result = run("chat", "hello", "--key", "k")
    assert result.exit_code == 1
    assert said in result.output


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (503, 1)])
def test_status_is_told_by_words_and_exit_status(
    run: Any, monkeypatch: pytest.MonkeyPatch, status: int, exit_code: int
) -> None:
    monkeypatch.setattr(httpx2, "get", lambda url, timeout: httpx2.Response(status, json={"status": url}))
    result = run("status", "--url", "http://x/")
    assert (result.exit_code, result.output) == (exit_code, "status: http://x/ready\n")


def test_the_version_is_told(run: Any) -> None:
    assert run("--version").exit_code == 0
