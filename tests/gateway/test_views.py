"""Every path leads to its door, with the arguments that door wants."""

import asyncio
from typing import Any

import msgspec
import pytest
from django.urls import get_resolver, reverse

from gateway.handler import DataPlaneHandler
from gateway.views import api
from tests.builders import CHAT, SECRET

PATHS = {
    "/v1/chat/completions": "post",
    "/v1/completions": "post",
    "/v1/embeddings": "post",
    "/v1/images/generations": "post",
    "/v1/images/edits": "post",
    "/v1/audio/speech": "post",
    "/v1/audio/transcriptions": "post",
    "/v1/audio/translations": "post",
    "/v1/moderations": "post",
    "/v1/rerank": "post",
    "/v1/responses": "post",
    "/v1/responses/input_tokens": "post",
    "/v1/responses/compact": "post",
    "/v1/responses/{response_id}": "get delete",
    "/v1/responses/{response_id}/cancel": "post",
    "/v1/responses/{response_id}/input_items": "get",
    "/v1/messages": "post",
    "/v1/messages/count_tokens": "post",
    "/v1/models": "get",
    "/v1/models/{model}": "get post",
    "/v1beta/models": "get",
    "/v1beta/models/{model}": "get post",
    "/passthrough/{provider}/{rest}": "get post put patch delete",
    "/v1/gateway/dry-run": "post",
    "/v1/gateway/usage/{wanted}": "get",
    "/health": "get",
    "/ready": "get",
}


async def ask(plane: Any, method: str, path: str, body: bytes = b"", *, key: bool = True) -> tuple[int, Any]:
    sent: list[Any] = []
    messages = [{"type": "http.request", "body": body}]

    async def receive() -> Any:
        while not messages:
            await asyncio.Event().wait()
        return messages.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer " + SECRET.encode())] if key else []
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
    await DataPlaneHandler(lambda: plane, max_body_bytes=10_000, max_upload_bytes=10_000)(scope, receive, send)
    return sent[0]["status"], msgspec.json.decode(sent[1]["body"])


@pytest.mark.parametrize(
    ("path", "body", "holds"),
    [
        ("/v1/chat/completions", CHAT, "choices"),
        ("/v1/completions", {"model": "m", "prompt": "x"}, "choices"),
        ("/v1/embeddings", {"model": "m", "input": "x"}, "data"),
    ],
)
async def test_calls(make_plane: Any, path: str, body: Any, holds: str) -> None:
    status, answer = await ask(make_plane(), "POST", path, msgspec.json.encode(body))
    assert status == 200
    assert answer[holds]


@pytest.mark.parametrize(
    ("path", "key", "holds"),
    [
        ("/v1/models", True, "data"),
        ("/v1/models/m", True, "id"),
        ("/health", False, "status"),
        ("/ready", False, "status"),
    ],
)
async def test_reads(make_plane: Any, path: str, key: bool, holds: str) -> None:
    status, answer = await ask(make_plane(), "GET", path, key=key)
    assert status == 200
    assert holds in answer


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (
            method.upper(),
            path.format(
                model="m:generateContent" if method == "post" else "m",
                wanted="r",
                provider="p",
                rest="r",
                response_id="r",
            ),
        )
        for path, methods in PATHS.items()
        for method in methods.split()
        if path not in {"/health", "/ready"}
    ],
)
async def test_every_other_door_wants_a_key(make_plane: Any, method: str, path: str) -> None:
    status, answer = await ask(make_plane(), method, path, b"{}" if method == "POST" else b"", key=False)
    assert status == 401
    assert b"missing_api_key" in msgspec.json.encode(answer).lower()


async def test_a_call_of_a_moment_ago_can_be_asked_about(make_plane: Any) -> None:
    from gateway.endpoints import openai
    from tests.builders import incoming

    plane = make_plane()
    await openai.chat_completions(plane, incoming(CHAT, x_request_id="mine"))
    status, answer = await ask(plane, "GET", "/v1/gateway/usage/mine")
    assert (status, len(answer["attempts"])) == (200, 1)


def test_the_list_of_paths_is_all_of_them() -> None:
    found = {path: set(methods) for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items()}
    assert found == {path: set(methods.split()) for path, methods in PATHS.items()}


def test_paths_stand_in_the_control_planes_urls_too() -> None:
    assert reverse("data-plane:chat_completions") == "/v1/chat/completions"
    assert get_resolver("gateway.urls").resolve("/v1/models/a/b").kwargs == {"model": "a/b"}
