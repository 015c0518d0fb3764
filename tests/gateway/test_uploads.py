"""A form comes in, its fields are patched, and the same files go out; what is none is refused before that."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from gateway import uploads
from gateway.uploads import PIECE_BYTES, FormBody, Receive, Upload, UploadCut, receive_upload
from kernel.errors import BodyTooLarge, InvalidRequest
from providers.adapters.http import HttpClient, Origin, UpstreamRequest
from providers.dialects.multipart import (
    FormReader,
    PartData,
    PartHead,
    content_type_of,
    write_end,
    write_head,
    write_tail,
)
from tests.services.upstreams import MockUpstream

BOUNDARY = b"theirs"
TYPE = content_type_of(BOUNDARY)
SOUND = bytes(range(256)) * 12_000  # three megabytes: more than stays in memory
PARTS = [
    (PartHead("file", "a.mp3", "audio/mpeg"), SOUND),
    (PartHead("model"), b"whisper"),
    (PartHead("timestamp_granularities[]"), b"word"),
    (PartHead("prompt"), "Grüße".encode()),
    (PartHead("timestamp_granularities[]"), b"segment"),
]
Parts = list[tuple[PartHead, bytes]]


def write(parts: Parts, boundary: bytes = BOUNDARY) -> bytes:
    return b"".join(write_head(head, boundary) + data + write_tail() for head, data in parts) + write_end(boundary)


def sending(body: bytes, *, size: int = 60_000, gone: bool = False) -> Receive:
    pieces = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        + [{"type": "http.disconnect"} if gone else {"type": "http.request"}]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    return receive


@asynccontextmanager
async def received(
    parts: Parts, *, boundary: bytes = BOUNDARY, size: int = 60_000
) -> AsyncIterator[tuple[dict[str, Any], Upload]]:
    receive = sending(write(parts, boundary), size=size)
    content_type = content_type_of(boundary)
    fields, upload = await receive_upload(receive, content_type=content_type, max_bytes=1 << 25)
    try:
        yield msgspec.json.decode(fields), upload
    finally:
        upload.close()


def read(body: FormBody) -> Parts:
    reader = FormReader(body.content_type)
    parts: Parts = []
    for piece in body.pieces():
        for event in reader.feed(piece):
            if isinstance(event, PartHead):
                parts.append((event, b""))
            elif isinstance(event, PartData):
                head, before = parts.pop()
                parts.append((head, before + event.data))
    reader.end()
    return parts


async def test_fields_are_json_and_files_are_described() -> None:
    async with received(PARTS) as (fields, _):
        assert fields == {
            "file": {"filename": "a.mp3", "content_type": "audio/mpeg", "bytes": len(SOUND)},
            "model": "whisper",
            "timestamp_granularities[]": ["word", "segment"],
            "prompt": "Grüße",
        }


async def test_the_form_goes_on_as_it_came_under_a_boundary_of_its_own() -> None:
    async with received(PARTS) as (fields, upload):
        body = upload.segments(msgspec.json.encode(fields))
        assert read(body) == PARTS
        assert BOUNDARY not in body.content_type
        assert body.total_bytes == sum(len(piece) for piece in body.pieces())
        assert max(len(piece) for piece in body.pieces()) <= PIECE_BYTES


async def test_patched_fields_are_written_and_those_taken_away_are_not() -> None:
    async with received(PARTS) as (fields, upload):
        del fields["prompt"]
        patched = fields | {"model": "gpt-x", "n": 2, "timestamp_granularities[]": ["word"], "include[]": ["a", "b"]}
        assert read(upload.segments(msgspec.json.encode(patched))) == [
            PARTS[0],
            (PartHead("model"), b"gpt-x"),
            PARTS[2],
            (PartHead("n"), b"2"),
            (PartHead("include[]"), b"a"),
            (PartHead("include[]"), b"b"),
        ]


async def test_several_files_of_one_name_keep_their_order_and_their_bytes() -> None:
    files = [(PartHead("image[]", f"{n}.png", "image/png"), bytes([n]) * 100_000 * n) for n in range(4)]
    async with received([*files, (PartHead("model"), b"m")]) as (fields, upload):
        assert [file["bytes"] for file in fields["image[]"]] == [0, 100_000, 200_000, 300_000]
        assert read(upload.segments(msgspec.json.encode(fields)))[:-1] == files


async def test_two_tries_can_read_the_same_files_at_once_and_over_again() -> None:
    async with received(PARTS) as (fields, upload):
        first, second = (upload.segments(msgspec.json.encode(fields)) for _ in range(2))
        whole = b"".join(first.pieces())
        pairs = list(zip(first.pieces(), second.pieces(), strict=True))
        assert b"".join(one for one, _ in pairs) == b"".join(other for _, other in pairs) == whole


async def test_the_digest_knows_the_contents_only() -> None:
    async def digest(parts: Parts, **fields: Any) -> bytes:
        async with received(parts, **fields) as (_, upload):
            return upload.digest()

    usual = await digest(PARTS)
    assert usual == await digest(PARTS, boundary=b"other", size=777)
    changed: list[Parts] = [
        PARTS[:-1],
        [(PARTS[0][0], SOUND[:-1] + b"x"), *PARTS[1:]],
        [(PartHead("file", "b.mp3", "audio/mpeg"), SOUND), *PARTS[1:]],
    ]
    assert usual not in [await digest(parts) for parts in changed]


async def test_large_files_leave_the_memory() -> None:
    async with received(PARTS) as (_, upload):
        assert upload._files._rolled  # type: ignore[attr-defined]
    async with received(PARTS[1:]) as (_, upload):
        assert not upload._files._rolled  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "body",
    [b"", b"no form", write(PARTS)[:-9], write([(PartHead("model"), b"\xff")])],
    ids=["empty", "garbage", "half", "latin"],
)
async def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await receive_upload(sending(body), content_type=TYPE, max_bytes=1 << 25)
    assert caught.value.code == "invalid_multipart"


async def test_a_form_that_is_too_large_is_read_to_its_end_and_refused() -> None:
    receive = sending(write(PARTS))
    with pytest.raises(BodyTooLarge):
        await receive_upload(receive, content_type=TYPE, max_bytes=1_000_000)
    with pytest.raises((StopIteration, RuntimeError)):
        await asyncio.wait_for(receive(), 1)


async def test_fields_that_are_too_large_are_refused() -> None:
    body = write([(PartHead("prompt"), b"x" * (uploads.FIELDS_MAX_BYTES + 1))])
    with pytest.raises(BodyTooLarge):
        await receive_upload(sending(body), content_type=TYPE, max_bytes=1 << 25)


async def test_a_caller_that_goes_in_the_middle_leaves_nothing() -> None:
    with pytest.raises(UploadCut):
        await receive_upload(sending(write(PARTS)[:200_000], gone=True), content_type=TYPE, max_bytes=1 << 25)


async def test_a_form_reaches_a_real_server_whole_and_a_second_time_too() -> None:
    upstream = MockUpstream()
    try:
        async with received(PARTS) as (fields, upload), HttpClient() as client:
            body = upload.segments(msgspec.json.encode(fields | {"model": "mock-transcribe"}))
            for _ in range(2):
                request = UpstreamRequest(
                    method="POST",
                    origin=Origin("http", "127.0.0.1", upstream.port),
                    target=b"/v1/audio/transcriptions",
                    headers=((b"content-type", body.content_type),),
                    body=body,
                )
                async with await client.send(request) as response:
                    answer = msgspec.json.decode(await response.read(1 << 20))
                assert answer["text"] == f"You sent {len(SOUND)} bytes of sound in a.mp3."
    finally:
        upstream.stop()
