"""The door behind the server's own interface: bytes as they came, forms too, and the path of the request line."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from gateway.handler import DataPlaneHandler
from gateway.plane import DataPlane
from tests.builders import SECRET
from tests.gateway.passthrough.passages import passing, rights
from tests.scripted import Answer, Upstream

MakePlane = Callable[..., DataPlane]
BODY_MAX, UPLOAD_MAX = 10, 1_000
FORM = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n\x00\xff\r\n--b--\r\n'
MULTIPART = (b"content-type", b"multipart/form-data; boundary=b")


async def ask(
    plane: DataPlane, method: str, path: str, body: bytes = b"", *headers: tuple[bytes, bytes], **fields: Any
) -> tuple[int, bytes]:
    sent: list[Mapping[str, Any]] = []
    messages = [{"type": "http.request", "body": body}]

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "http.request"}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    named = [(b"authorization", b"Bearer " + SECRET.encode()), *headers]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": named} | fields
    handler = DataPlaneHandler(lambda: plane, max_body_bytes=BODY_MAX, max_upload_bytes=UPLOAD_MAX)
    await handler(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def plane_of(make_plane: MakePlane, *answers: Any) -> tuple[DataPlane, Upstream]:
    upstream = Upstream(*answers)
    return make_plane(upstream, passing(), **rights()), upstream


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_method_passes(make_plane: MakePlane, method: str) -> None:
    plane, upstream = plane_of(make_plane, Answer([b"{", b"}"]))
    assert await ask(plane, method, "/passthrough/mock/files/f1") == (200, b"{}")
    raw = upstream.exchanges[0].raw
    assert raw is not None
    assert (raw.method, raw.path) == (method, b"/files/f1")


async def test_a_form_passes_as_it_came_up_to_the_bound_of_uploads(make_plane: MakePlane) -> None:
    plane, upstream = plane_of(make_plane, Answer([b"{}"]))
    assert (await ask(plane, "POST", "/passthrough/mock/files", FORM, MULTIPART))[0] == 200
    assert upstream.exchanges[0].body == FORM
    status, said = await ask(plane, "POST", "/passthrough/mock/files", b"x" * (UPLOAD_MAX + 1))
    assert (status, msgspec.json.decode(said)["error"]["code"]) == (413, "request_too_large")


async def test_the_path_is_that_of_the_request_line(make_plane: MakePlane) -> None:
    plane, upstream = plane_of(make_plane, Answer([b"{}"]))
    at = {"raw_path": b"/passthrough/mock/model/a%2Fb/x%3A0", "query_string": b"a=%20"}
    await ask(plane, "GET", "/passthrough/mock/model/a/b/x:0", **at)
    raw = upstream.exchanges[0].raw
    assert raw is not None
    assert (raw.path, raw.query) == (b"/model/a%2Fb/x%3A0", b"a=%20")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/passthrough/mock", 404), ("TRACE", "/passthrough/mock/x", 405)]
)
async def test_what_is_no_such_request(make_plane: MakePlane, method: str, path: str, status: int) -> None:
    assert (await ask(plane_of(make_plane)[0], method, path))[0] == status


async def test_a_vendors_key_in_the_query_is_heard_where_its_paths_are(make_plane: MakePlane) -> None:
    plane, upstream = plane_of(make_plane, Answer([b"{}"]))
    query = b"key=" + SECRET.encode() + b"&pageSize=2"
    fields = {"query_string": query, "headers": []}
    assert (await ask(plane, "GET", "/passthrough/mock/v1beta/files", **fields))[0] == 200
    assert upstream.exchanges[0].raw is not None
    assert upstream.exchanges[0].raw.query == b"pageSize=2"
    assert (await ask(plane, "GET", "/passthrough/mock/files", **fields))[0] == 401
