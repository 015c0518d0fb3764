import pytest

from providers.adapters.http import BrokenResponse
from providers.adapters.http.head import all_headers, content_encoding, cut_head, ends_with_connection, find_header

HEAD = b"\r\nContent-Type: text/plain\r\nX-A:\t 1 \t\r\nx-a: 2\r\nEmpty:\r\nX-Time: 12:30\r\n"


@pytest.mark.parametrize(
    ("received", "interim_count", "head"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nbody", 0, b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\n\r\nB: 2\r\n\r\n", 0, b"\r\nA: 1\r\n"),
        (b"\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\n\r\n", 0, b"\r\nA: 1\r\n"),
        (b"\nHTTP/1.1 200 OK\r\nA: 1\r\n\r\n", 0, b"\r\nA: 1\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\n\r\n", 1, b"\r\nA: 1\r\n"),
        (b"HTTP/1.1 103 Hints\r\nL: 0\r\n\r\nHTTP/1.1 102\r\n\r\nHTTP/1.1 200\r\nA: 1\r\n\r\n", 2, b"\r\nA: 1\r\n"),
    ],
)
def test_cuts_the_final_head_out(received: bytes, interim_count: int, head: bytes) -> None:
    assert cut_head(received, interim_count=interim_count) == head


def test_a_head_without_an_end_is_no_head() -> None:
    with pytest.raises(BrokenResponse):
        cut_head(b"HTTP/1.1 200 OK\r\nA: 1\r\n", interim_count=0)


def test_lists_all_headers_in_order_with_lower_case_names() -> None:
    assert all_headers(HEAD) == [
        (b"content-type", b"text/plain"),
        (b"x-a", b"1"),
        (b"x-a", b"2"),
        (b"empty", b""),
        (b"x-time", b"12:30"),
    ]
    assert all_headers(b"\r\n") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"content-type", b"text/plain"),
        (b"x-a", b"1"),
        (b"empty", b""),
        (b"x-time", b"12:30"),
        (b"type", None),
        (b"x", None),
        (b"12", None),
    ],
)
def test_finds_a_header(name: bytes, value: bytes | None) -> None:
    assert find_header(HEAD, name) == value


def test_finding_and_listing_agree() -> None:
    for name, _ in all_headers(HEAD):
        first = next(value for key, value in all_headers(HEAD) if key == name)
        assert find_header(HEAD, name) == first


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"\r\nContent-Encoding: gzip\r\n", b"gzip"),
        (b"\r\nX-Content-Encoding: gzip\r\n", b""),
        (b"\r\nContent-Encoding: gzip\r\ncontent-encoding: br\r\n", b""),
        (b"\r\n", b""),
    ],
)
def test_one_encoding_or_none(head: bytes, encoding: bytes) -> None:
    assert content_encoding(head) == encoding


@pytest.mark.parametrize(
    ("head", "ends"),
    [
        (b"\r\n", True),
        (b"\r\nContent-Length: 0\r\n", False),
        (b"\r\nTransfer-Encoding: chunked\r\n", False),
        (b"\r\nTransfer-Encoding: gzip, Chunked\r\n", False),
        (b"\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", False),
        (b"\r\nTransfer-Encoding: gzip\r\n", True),
    ],
)
def test_tells_what_ends_the_body(head: bytes, ends: bool) -> None:
    assert ends_with_connection(head) is ends
