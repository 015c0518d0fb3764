"""One message over the API: the answer on stdout, its cost on stderr, errors in the gateway's words."""

from typing import Any

import httpx2
import pytest

from gateway_project import chat
from gateway_project.chat import Question, Refused
from tests.scripted import delta, event, spoken

QUESTION = Question(url="http://gateway/", key="k", model="m", message="hello")


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the gateway give this answer; return what it was sent."""
    usual = httpx2.Client

    def give(status: int, **answer: Any) -> list[httpx2.Request]:
        seen: list[httpx2.Request] = []

        def handle(request: httpx2.Request) -> httpx2.Response:
            seen.append(request)
            return httpx2.Response(status, **answer)

        monkeypatch.setattr(
            chat.httpx2, "Client", lambda **options: usual(transport=httpx2.MockTransport(handle), **options)
        )
        return seen

    return give


def test_a_whole_answer(answering: Any, capsys: pytest.CaptureFixture[str]) -> None:
    body = {"choices": [{"message": {"content": "hi"}}]}
    [*seen] = answering(200, json=body, headers={"x-gateway-cost-usd": "0.5"})
    chat.send(QUESTION, stream=False)
    assert capsys.readouterr() == ("hi\n", "cost: $0.5\n")
    assert seen == []


def test_what_is_sent(answering: Any) -> None:
    seen = answering(200, json={"choices": [{"message": {"content": "hi"}}]})
    chat.send(QUESTION, stream=False)
    [request] = seen
    assert (str(request.url), request.headers["authorization"]) == ("http://gateway/v1/chat/completions", "Bearer k")


def test_a_stream(answering: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answering(200, content=b"".join(spoken("a", "b", usage={"cost": 0.25})))
    chat.send(QUESTION, stream=True)
    assert capsys.readouterr() == ("ab", "\ncost: $0.25\n")


def test_a_stream_that_breaks(answering: Any) -> None:
    answering(200, content=delta("a") + event({"error": {"message": "cut"}}))
    with pytest.raises(Refused, match="cut"):
        chat.send(QUESTION, stream=True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [({"json": {"error": {"message": "no credit"}}}, "no credit"), ({"content": b"<html>"}, "<html>")],
)
def test_a_refusal(answering: Any, answer: dict[str, Any], said: str) -> None:
    answering(429, **answer)
    with pytest.raises(Refused, match=said):
        chat.send(QUESTION, stream=False)
