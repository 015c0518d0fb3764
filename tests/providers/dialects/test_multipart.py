"""A form is cut into the same parts however its bytes come, and what is none is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import InvalidRequest
from providers.dialects.multipart import (
    MAX_PARTS,
    FormReader,
    PartData,
    PartHead,
    boundary_of,
    content_type_of,
    is_form,
    write_end,
    write_head,
    write_tail,
)

BOUNDARY = b"xyzzy"
TYPE = content_type_of(BOUNDARY)
Parts = list[tuple[PartHead, bytes]]

names = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"\\;='), min_size=1, max_size=8)
heads = st.builds(
    PartHead,
    name=names,
    filename=st.none() | names,
    content_type=st.sampled_from(["", "text/plain", "audio/mpeg"]),
)
contents = st.binary(max_size=60) | st.sampled_from([b"\r\n--xyz", b"--xyzzy", b"\r\n", b"a\r\n--xyzzyno"])


def write(parts: Parts) -> bytes:
    pieces = [write_head(head, BOUNDARY) + data + write_tail() for head, data in parts]
    return b"".join(pieces) + write_end(BOUNDARY)


def read(data: bytes, size: int = 1 << 20, content_type: bytes = TYPE) -> Parts:
    reader = FormReader(content_type)
    parts: Parts = []
    for start in range(0, len(data), size):
        for event in reader.feed(data[start : start + size]):
            if isinstance(event, PartHead):
                parts.append((event, b""))
            elif isinstance(event, PartData):
                head, before = parts.pop()
                parts.append((head, before + event.data))
    reader.end()
    return parts


@given(st.lists(st.tuples(heads, contents.filter(lambda data: b"\r\n--xyzzy" not in data)), min_size=1, max_size=4))
def test_what_was_written_is_read_in_pieces_of_every_size(parts: Parts) -> None:
    data = write(parts)
    for size in (1, 3, 7, 1 << 20):
        assert read(data, size) == parts


def test_a_form_as_curl_writes_it() -> None:
    data = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a b.mp3"\r\nContent-Type: audio/mpeg\r\n\r\n'
        b"\xff\xfb\r\n\x00\r\n"
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\nepilogue'
    )
    assert read(data, content_type=b'Multipart/Form-Data; charset=utf-8; boundary="b"') == [
        (PartHead("file", "a b.mp3", "audio/mpeg"), b"\xff\xfb\r\n\x00"),
        (PartHead("model"), b"whisper-1"),
    ]


def test_no_name_can_start_a_header_of_its_own() -> None:
    written = write_head(PartHead('a"\r\nx: y', 'f"\n'), BOUNDARY)
    assert written.count(b"\r\n") == 3
    assert b'name="a%22%0D%0Ax: y"; filename="f%22%0A"' in written


WHOLE = write([(PartHead("model"), b"m")])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"certainly no form",
        WHOLE[:-6],
        WHOLE.replace(b'; name="model"', b""),
        WHOLE.replace(b"form-data", b"attachment"),
        WHOLE.replace(b"model", b"\xff\xfe"),
        WHOLE.replace(b"\r\n\r\nm", b"\r\nx-long: " + b"x" * 5_000 + b"\r\n\r\nm"),
        WHOLE.replace(b"\r\n\r\nm", b"".join(b"\r\nx-%d: y" % n for n in range(20)) + b"\r\n\r\nm"),
        write([(PartHead("a"), b"")] * (MAX_PARTS + 1)),
    ],
)
def test_what_is_no_whole_form_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(data)
    assert caught.value.code == "invalid_multipart"


@given(st.binary(max_size=200), st.integers(0, len(WHOLE)))
def test_garbage_never_raises_anything_else(garbage: bytes, at: int) -> None:
    try:
        read(WHOLE[:at] + garbage + WHOLE[at:], size=11)
    except InvalidRequest as error:
        assert error.code == "invalid_multipart"


@pytest.mark.parametrize("content_type", [b"", b"application/json", b"multipart/form-data", TYPE + b"x" * 70])
def test_a_content_type_without_a_boundary_is_refused(content_type: bytes) -> None:
    with pytest.raises(InvalidRequest):
        boundary_of(content_type)


def test_what_is_a_form() -> None:
    assert is_form(b"Multipart/Form-Data; boundary=x")
    assert not is_form(b"application/json")
