"""Whatever comes in, what goes out is an answer or an error in OpenAI's envelope, and never a fault of the gateway."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.endpoints import openai
from gateway.messages import Incoming, Reply
from gateway.plane import DataPlane
from providers.adapters.http import HttpClient
from providers.adapters.mock import MockAdapter
from tests.builders import quiet_plane
from tests.services.gateway import Gateway, clean_environment
from usage.journal.journal import Journal

SECRET = b"Bearer sk-gw-test"
EXAMPLES = 250
SCHEMA_RUN_S = 15

words = st.text(max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))


# Mostly right, so that the examples get past the first check; anything at all in one of five fields.
def mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 4).flatmap(lambda draw: right if draw else values)


contents = (
    words | st.none() | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": mostly(words)}), max_size=2)
)
messages = st.lists(st.fixed_dictionaries({"role": mostly(words), "content": mostly(contents)}), max_size=3)
bodies = st.fixed_dictionaries(
    {"model": mostly(st.just("m"))},
    optional={
        "messages": mostly(messages),
        "prompt": mostly(words),
        "input": mostly(words | st.lists(words, max_size=3) | st.lists(st.integers(0, 9), max_size=3)),
        "stream": mostly(st.booleans()),
        "stream_options": mostly(st.fixed_dictionaries({}, optional={"include_usage": st.booleans()})),
        "max_tokens": mostly(st.integers(0, 50)),
        "n": mostly(st.integers(1, 3)),
        "tools": mostly(st.just([{"type": "function", "function": {"name": "f", "parameters": {}}}])),
        "tool_choice": mostly(st.sampled_from(["auto", "none", "required"])),
        "dimensions": mostly(st.integers(1, 16)),
        "encoding_format": mostly(st.sampled_from(["float", "base64"])),
        "whatever": values,
    },
)
raw_bodies = bodies.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=200)
doors = st.sampled_from([openai.chat_completions, openai.completions, openai.embeddings])


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPlane]:
    journal = Journal(tmp_path_factory.mktemp("journal"), worker="fuzz")
    yield quiet_plane(adapters={"mock": MockAdapter(HttpClient())}, journal=journal)
    journal.close()


def no_fault(reply: Reply, streamed: bytes) -> None:
    assert reply.status < 500 or b'"upstream_' in reply.body, reply.body
    headers = dict(reply.headers)
    assert headers[b"x-request-id"]
    if reply.chunks is not None:
        assert reply.status == 200
        assert streamed.endswith(b"data: [DONE]\n\n") or b'"error"' in streamed
    else:
        answer = msgspec.json.decode(reply.body)
        assert headers[b"content-type"] == b"application/json"
        if reply.status != 200:
            assert answer["error"].keys() >= {"message", "type", "param", "code"}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(door=doors, body=raw_bodies)
def test_any_body_gets_an_answer(plane: DataPlane, door: Any, body: bytes) -> None:
    incoming = Incoming(method="POST", path="/v1/x", headers={b"authorization": SECRET}, body=body)

    async def ask() -> tuple[Reply, bytes]:
        reply = await door(plane, incoming)
        if reply.chunks is None:
            return reply, b""
        return reply, b"".join([chunk async for chunk in reply.chunks])

    no_fault(*asyncio.run(ask()))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    headers=st.dictionaries(
        st.sampled_from([b"authorization", b"api-key", b"x-api-key", b"content-encoding", b"x-request-id"]),
        st.binary(max_size=40) | st.just(SECRET),
    )
)
def test_any_headers_get_an_answer(plane: DataPlane, headers: dict[bytes, bytes]) -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
    incoming = Incoming(method="POST", path="/v1/x", headers=headers, body=body)
    no_fault(asyncio.run(openai.chat_completions(plane, incoming)), b"")


@pytest.mark.e2e
def test_the_server_keeps_to_its_own_description(gateway: Gateway, tmp_path: Path) -> None:
    """Schemathesis reads /v1/openapi.json and asks what it allows, and what it doesn't."""
    checks = (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
    )
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{gateway.base_url}/v1/openapi.json"),
        *("--header", f"Authorization: {gateway.bearer()['authorization']}"),
        *("--checks", ",".join(checks)),
        *("--max-time", str(SCHEMA_RUN_S), "--max-examples", "20", "--seed", "1"),
        *("--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--no-color", "--warnings", "off"),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=180, cwd=tmp_path, env=clean_environment(), check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "/v1/chat/completions" in done.stdout or "Tested" in done.stdout or "passed" in done.stdout
