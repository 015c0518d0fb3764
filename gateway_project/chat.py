"""One chat message to a running gateway, over the same API that applications use."""

import json
from dataclasses import dataclass
from typing import Any

import click
import httpx2


class Refused(Exception):
    """The gateway answered with an error; the message is its own."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent, and where to."""

    url: str
    key: str
    model: str
    message: str


def send(question: Question, *, stream: bool) -> None:
    """Print the answer, then its cost on stderr. Raises Refused and httpx2.HTTPError."""
    body: dict[str, Any] = {"model": question.model, "messages": [{"role": "user", "content": question.message}]}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    url = f"{question.url.rstrip('/')}/v1/chat/completions"
    headers = {"authorization": f"Bearer {question.key}"}
    with httpx2.Client(timeout=300) as client, client.stream("POST", url, json=body, headers=headers) as answer:
        if answer.status_code != 200:
            raise Refused(_message(answer.read()))
        if stream:
            _print_stream(answer)
        else:
            _print_whole(json.loads(answer.read()), answer.headers.get("x-gateway-cost-usd", "unknown"))


def _print_whole(answer: dict[str, Any], cost_usd: str) -> None:
    click.echo(answer["choices"][0]["message"]["content"])
    click.echo(f"cost: ${cost_usd}", err=True)


def _print_stream(answer: httpx2.Response) -> None:
    for line in answer.iter_lines():
        if not line.startswith("data: ") or line == "data: [DONE]":
            continue
        chunk = json.loads(line[6:], parse_float=str)  # a cost is shown with every digit it has
        if "error" in chunk:
            raise Refused(chunk["error"]["message"])
        for choice in chunk.get("choices", ()):
            click.echo(choice["delta"].get("content") or "", nl=False)
        if chunk.get("usage"):
            click.echo(f"\ncost: ${chunk['usage'].get('cost', 'unknown')}", err=True)


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")
