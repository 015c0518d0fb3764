import dataclasses

import pytest

from providers.adapters.http import InvalidRequest, Origin, Timeouts, UpstreamRequest
from providers.adapters.http.messages import encode_head

ORIGIN = Origin("https", "api.example.com", 443)


def head(
    *headers: tuple[bytes, bytes], method: str = "POST", target: bytes = b"/v1/x", body: bytes = b"{}"
) -> list[bytes]:
    request = UpstreamRequest(method, ORIGIN, target, headers, body)
    encoded = encode_head(request, host_header=ORIGIN.host_header)
    assert encoded.endswith(b"\r\n\r\n")
    return encoded[:-4].split(b"\r\n")


@pytest.mark.parametrize(
    ("url", "origin", "prefix"),
    [
        ("https://api.example.com", Origin("https", "api.example.com", 443), b""),
        ("https://api.example.com/", Origin("https", "api.example.com", 443), b""),
        ("HTTP://API.Example.com:8080/v1/", Origin("http", "api.example.com", 8080), b"/v1"),
        ("http://localhost:80/a/b", Origin("http", "localhost", 80), b"/a/b"),
        ("http://[::1]:9000/v1", Origin("http", "::1", 9000), b"/v1"),
        ("https://bücher.example/v1", Origin("https", "xn--bcher-kva.example", 443), b"/v1"),
        (" https://api.example.com/v1 ", Origin("https", "api.example.com", 443), b"/v1"),
    ],
)
def test_parses_a_base_url(url: str, origin: Origin, prefix: bytes) -> None:
    assert Origin.parse(url) == (origin, prefix)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com/v1",
        "ftp://api.example.com",
        "https://",
        "https://user:secret@api.example.com",
        "https://api.example.com/v1?key=1",
        "https://api.example.com/v1#top",
        "https://api.example.com:port",
        "https://api.example.com:70000",
        "https://[::1",
        "https://api.example.com/a b",
        "https://" + "ü" * 70 + ".example",
        "https://a b.example/v1",
        "https://.example",
        "https://a..example",
        "https://a%0d%0ab.example/v1",
    ],
)
def test_refuses_what_is_no_base_url(url: str) -> None:
    with pytest.raises(InvalidRequest):
        Origin.parse(url)


def test_a_refused_url_does_not_leak_its_password() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Origin.parse("https://user:hunter2@api.example.com")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("origin", "value"),
    [
        (Origin("https", "a.example", 443), b"a.example"),
        (Origin("https", "a.example", 80), b"a.example:80"),
        (Origin("http", "a.example", 80), b"a.example"),
        (Origin("http", "::1", 80), b"[::1]"),
        (Origin("http", "::1", 8000), b"[::1]:8000"),
    ],
)
def test_host_header_names_the_port_only_when_unusual(origin: Origin, value: bytes) -> None:
    assert origin.host_header == value
    assert str(origin) == f"{origin.scheme}://{value.decode()}"


def test_values_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ORIGIN.port = 1  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Timeouts().idle_s = 1  # type: ignore[misc]


def test_head_has_host_first_and_the_length_of_the_body() -> None:
    assert head((b"X-A", b"1"), (b"x-b", b"2")) == [
        b"POST /v1/x HTTP/1.1",
        b"Host: api.example.com",
        b"X-A: 1",
        b"x-b: 2",
        b"Content-Length: 2",
    ]


def test_a_host_of_the_callers_own_is_kept() -> None:
    lines = head((b"hOST", b"other"))
    assert lines[1] == b"hOST: other"
    assert sum(line.lower().startswith(b"host:") for line in lines) == 1


@pytest.mark.parametrize("name", [b"Content-Length", b"transfer-encoding", b"CONNECTION", b"expect", b"upgrade", b"te"])
def test_framing_and_connection_headers_are_the_clients_own(name: bytes) -> None:
    lines = head((name, b"999"))
    assert lines == [b"POST /v1/x HTTP/1.1", b"Host: api.example.com", b"Content-Length: 2"]


@pytest.mark.parametrize(("method", "has_length"), [("GET", False), ("HEAD", False), ("DELETE", False), ("POST", True)])
def test_an_empty_body_has_a_length_only_where_one_is_expected(method: str, has_length: bool) -> None:
    assert (b"Content-Length: 0" in head(method=method, body=b"")) is has_length


@pytest.mark.parametrize("value", [b"a\r\nX-Evil: 1", b"a\nb", b"a\rb", b"a\0b", b"\r\n\r\nGET / HTTP/1.1"])
def test_refuses_line_breaks_in_a_value(value: bytes) -> None:
    with pytest.raises(InvalidRequest):
        head((b"x-a", value))


@pytest.mark.parametrize("name", [b"", b"x a", b"x:", b"x\r\ny", b"x\0", b"\xc3\xbc"])
def test_refuses_names_that_are_no_tokens(name: bytes) -> None:
    with pytest.raises(InvalidRequest):
        head((name, b"1"))


@pytest.mark.parametrize("target", [b"", b"v1", b"/a b", b"/a\r\nb", b"/\0", b"http://x/"])
def test_refuses_targets_that_are_no_paths(target: bytes) -> None:
    with pytest.raises(InvalidRequest):
        head(target=target)


@pytest.mark.parametrize("method", ["", "GET /", "GET\r\n", "GÉT"])
def test_refuses_methods_that_are_no_tokens(method: str) -> None:
    with pytest.raises(InvalidRequest):
        head(method=method)


def test_a_value_may_be_empty_or_beyond_ascii() -> None:
    assert head((b"x-a", b""), (b"x-b", "ü".encode()))[2:4] == [b"x-a: ", b"x-b: \xc3\xbc"]
