"""What makes no sense is refused at every door in that door's own words, with the request's id; nothing is sent."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest

from gateway.handler import DataPlaneHandler
from gateway.plane import DataPlane
from providers.capabilities import capabilities_of
from routing.snapshot import Route
from tests.builders import SECRET, connection, quiet_plane, route, snapshot, target
from tests.contracts import asking
from tests.scripted import Upstream

BODY_MAX = 20_000
FORM = b"multipart/form-data; boundary=b"
HALF_A_FORM = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nmock\r\n--b\r\ncontent-disp'


@dataclass(frozen=True)
class Refused:
    """What came back: the status, the headers, and the envelope."""

    status: int
    headers: dict[bytes, bytes]
    body: dict[str, Any]


def told_by_openai(refused: Refused) -> tuple[str, str]:
    """Return the code and the message of OpenAI's envelope."""
    error = refused.body["error"]
    assert error.keys() >= {"message", "type", "param", "code"}
    return error["code"], error["message"]


def told_by_anthropic(refused: Refused) -> tuple[str, str]:
    """Return the code and the message of Anthropic's."""
    assert refused.body["type"] == "error"
    assert refused.body["request_id"].encode() == refused.headers[b"request-id"]
    error = refused.body["error"]
    types = {
        400: "invalid_request_error",
        401: "authentication_error",
        404: "not_found_error",
        413: "request_too_large",
    }
    assert error["type"] == types.get(refused.status, "invalid_request_error")
    return error["details"]["error_code"], error["message"]


def told_by_gemini(refused: Refused) -> tuple[str, str]:
    """Return the code and the message of Google's."""
    error = refused.body["error"]
    assert error["code"] == refused.status
    assert error["status"].isupper()
    (info,) = [detail for detail in error["details"] if detail["@type"].endswith("ErrorInfo")]
    assert info["metadata"]["requestId"].encode() == refused.headers[b"x-request-id"]
    return info["reason"].lower(), error["message"]


CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
GENERATE, STREAM = "/v1beta/models/{model}:generateContent", "/v1beta/models/{model}:streamGenerateContent"
COUNT, EMBED = "/v1beta/models/{model}:countTokens", "/v1beta/models/{model}:embedContent"
OPENAI_PATHS = (
    *(CHAT, RESPONSES, "/v1/completions", "/v1/embeddings", "/v1/images/generations", "/v1/audio/speech"),
    *("/v1/moderations", "/v1/rerank", "/v1/responses/input_tokens", "/v1/responses/compact"),
)
READERS = {
    **dict.fromkeys(OPENAI_PATHS, told_by_openai),
    **dict.fromkeys((MESSAGES, "/v1/messages/count_tokens"), told_by_anthropic),
    **dict.fromkeys((GENERATE, STREAM, COUNT, EMBED), told_by_gemini),
}
FORM_PATHS = ("/v1/images/edits", "/v1/audio/transcriptions", "/v1/audio/translations")


def route_to(name: str, kind: str, model: str) -> Route:
    """Return a route to one model of a kind of provider."""
    there = target(name, model, connection=connection(name, kind), capabilities=capabilities_of(kind, model))
    return route((there,), name=name)


def plane_of_all() -> DataPlane:
    """Return a plane with a route to each dialect, none of whose providers answers."""
    routes = [route_to(f"to-{dialect}", kind, model) for dialect, (kind, model) in asking.MODELS.items()]
    silent = Upstream()
    adapters = dict.fromkeys(("mock", "openai_compatible", "anthropic", "gemini", "bedrock"), silent)
    return quiet_plane(snapshot(route(), *routes), adapters=adapters)


async def knock(
    path: str,
    body: bytes,
    *,
    method: str = "POST",
    model: str = "m",
    key: bool = True,
    headers: Mapping[str, bytes] = MappingProxyType({}),
) -> Refused:
    """Return what the gateway answers."""
    sent: list[Any] = []
    messages = [{"type": "http.request", "body": body}]

    async def receive() -> Any:
        while not messages:
            await asyncio.Event().wait()
        return messages.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    given = [(name.encode(), value) for name, value in headers.items()]
    if key:
        given.append((b"authorization", b"Bearer " + SECRET.encode()))
    scope = {"type": "http", "method": method, "path": path.format(model=model), "query_string": b"", "headers": given}
    handler = DataPlaneHandler(plane_of_all, max_body_bytes=BODY_MAX, max_upload_bytes=BODY_MAX)
    await handler(scope, receive, send)
    found = dict(sent[0]["headers"])
    assert found[b"x-request-id"]
    assert found[b"content-type"] == b"application/json"
    return Refused(sent[0]["status"], found, json.loads(sent[1]["body"]))


# What is no request anywhere: its bytes, the status, the code.
NONSENSE: dict[str, tuple[bytes, int, set[str]]] = {
    "empty": (b"", 400, {"invalid_json", "missing_required_parameter"}),
    "not JSON": (b"{", 400, {"invalid_json"}),
    "text": (b"hello", 400, {"invalid_json"}),
    "a list": (b"[]", 400, {"invalid_json", "invalid_type"}),
    "null": (b"null", 400, {"invalid_json", "invalid_type"}),
    "not UTF-8": (b'{"model": "m", "x": "\xff"}', 400, {"invalid_json"}),
    "deep": (b'{"model": "m", "x": ' + b"[" * 9_000, 400, {"invalid_json"}),
    "deep and whole": (b'{"model": "m", "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400, {"invalid_json"}),
    "huge": (b'{"model": "m", "x": "' + b"x" * BODY_MAX + b'"}', 413, {"request_too_large"}),
    "wrong types": (
        json.dumps(dict.fromkeys(("model", "messages", "input", "prompt", "contents", "content"), 7.5)).encode(),
        400,
        {"invalid_type", "invalid_json", "missing_required_parameter", "invalid_value"},
    ),
}


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_is_refused_in_the_door_s_own_words(path: str, name: str) -> None:
    body, status, codes = NONSENSE[name]
    refused = await knock(path, body)
    code, message = READERS[path](refused)
    assert (refused.status, code in codes) == (status, True), (refused.status, code, message)
    assert message


@pytest.mark.parametrize("path", READERS)
async def test_without_a_key_nothing_is_read(path: str) -> None:
    refused = await knock(path, b"{}", key=False)
    assert (refused.status, READERS[path](refused)[0]) == (401, "missing_api_key")


@pytest.mark.parametrize("path", READERS)
async def test_a_compressed_body_is_refused(path: str) -> None:
    refused = await knock(path, b"\x1f\x8b", headers={"content-encoding": b"gzip"})
    assert (refused.status, READERS[path](refused)[0]) == (400, "unsupported_content_encoding")


@pytest.mark.parametrize("path", FORM_PATHS)
@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (HALF_A_FORM, FORM, 400, "invalid_multipart"),
        (b"", FORM, 400, "invalid_multipart"),
        (b"hello", FORM, 400, "invalid_multipart"),
        (b"--b--\r\n", b"multipart/form-data", 400, "invalid_multipart"),
        (HALF_A_FORM + b"x" * BODY_MAX, FORM, 413, "request_too_large"),
        (b'{"model": "m"}', b"application/json", 400, "invalid_content_type"),
    ],
)
async def test_what_is_no_form(path: str, body: bytes, content_type: bytes, status: int, code: str) -> None:
    refused = await knock(path, body, headers={"content-type": content_type})
    assert (refused.status, told_by_openai(refused)[0]) == (status, code)


def _chat(**fields: Any) -> dict[str, Any]:
    return {"model": "{model}", "messages": [{"role": "user", "content": "Hi"}], **fields}


def _said(*parts: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def _picture(data: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


_VIDEO = {"contents": [{"role": "user", "parts": [{"fileData": {"mimeType": "video/mp4", "fileUri": "https://a/b"}}]}]}
_HOSTED = [{"type": "web_search_20250305", "name": "web_search"}]
_BASE64 = {"type": "base64", "media_type": "image/png", "data": "%%%"}
_SEEDED = {"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": {"seed": 7}}
_UNKNOWN_RESULT = {"type": "tool_result", "tool_use_id": "nobody", "content": "x"}

# The door, what is asked there, of which dialect's model, the status and the code; headers where they matter.
REFUSALS: list[tuple[str, dict[str, Any], str, int, str, dict[str, bytes]]] = [
    (CHAT, _chat(model="nobody"), "openai", 404, "model_not_found", {}),
    (MESSAGES, _chat(model="nobody", max_tokens=5), "openai", 404, "model_not_found", {}),
    (MESSAGES, _chat(), "anthropic", 400, "missing_required_parameter", {}),
    (MESSAGES, _chat(max_tokens=5), "anthropic", 400, "invalid_version", {"anthropic-version": b"1999-01-01"}),
    (CHAT, _chat(**_said(_picture("%%%"))), "anthropic", 400, "invalid_base64", {}),
    (CHAT, _chat(**_said(_picture("%%%"))), "gemini", 400, "invalid_base64", {}),
    (CHAT, _chat(**_said(_picture("%%%"))), "converse", 400, "invalid_base64", {}),
    (MESSAGES, _chat(max_tokens=5, **_said({"type": "image", "source": _BASE64})), "openai", 400, "invalid_base64", {}),
    (GENERATE, _VIDEO, "anthropic", 400, "unsupported_content", {}),
    (GENERATE, _VIDEO, "openai", 400, "unsupported_content", {}),
    (STREAM, _VIDEO, "converse", 400, "unsupported_content", {}),
    (MESSAGES, _chat(max_tokens=5, tools=_HOSTED), "openai", 400, "unsupported_content", {}),
    (MESSAGES, _chat(max_tokens=5, **_said(_UNKNOWN_RESULT)), "gemini", 400, "invalid_tool_result", {}),
    (CHAT, _chat(seed=7), "anthropic", 400, "unsupported_parameter", {}),
    (GENERATE, _SEEDED, "anthropic", 400, "unsupported_parameter", {}),
    (
        RESPONSES,
        {"model": "{model}", "input": "Hi", "tools": [{"type": "web_search"}]},
        "anthropic",
        400,
        "unsupported_content",
        {},
    ),
    (
        RESPONSES,
        {"model": "{model}", "input": [{"type": "message"}]},
        "anthropic",
        400,
        "missing_required_parameter",
        {},
    ),
    (
        "/v1/rerank",
        {"model": "{model}", "query": "q", "documents": ["d"]},
        "anthropic",
        400,
        "unsupported_operation",
        {},
    ),
    ("/v1/embeddings", {"model": "{model}", "input": "x"}, "anthropic", 400, "unsupported_operation", {}),
]


@pytest.mark.parametrize(("path", "body", "dialect", "status", "code", "headers"), REFUSALS)
async def test_what_a_provider_can_t_be_told(  # noqa: PLR0917 - one a parameter
    path: str, body: dict[str, Any], dialect: str, status: int, code: str, headers: dict[str, bytes]
) -> None:
    model = f"to-{dialect}"
    written = json.dumps(body).replace("{model}", model).encode()
    refused = await knock(path, written, model=model, headers=headers)
    found, message = READERS[path](refused)
    assert (refused.status, found) == (status, code), message


@pytest.mark.parametrize(
    "path", ["/v1beta/models/m:sing", "/v1beta/models/m", "/v1/models/m:sing", "/v1beta/models/:x"]
)
async def test_a_method_that_a_model_does_not_have(path: str) -> None:
    refused = await knock(path, b"{}")
    assert refused.status == 404
    if ":" in path:
        assert told_by_gemini(refused)[0] == "unknown_method"


@pytest.mark.parametrize("path", [MESSAGES, CHAT, RESPONSES])
async def test_a_method_that_a_path_does_not_have(path: str) -> None:
    refused = await knock(path, b"", method="GET")
    assert (refused.status, READERS[path](refused)[0]) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/messages/nothing", "/v1beta/nothing"])
async def test_a_path_that_is_none(path: str) -> None:
    refused = await knock(path, b"{}")
    assert refused.status == 404
