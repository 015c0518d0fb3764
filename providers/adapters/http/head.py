r"""Read a response head only as far as somebody asks.

The parser has already checked every byte of it, so lines end in CRLF, none is folded, and no name has a space before
its colon (llhttp refuses all of these). Calling back into Python for each of the many headers a provider sends
costs more than the rest of the parsing, while a call looks at a few of them.

A head is kept as `\r\nName: value\r\nName: value\r\n`: the status line is gone, and every name stands between a line
break and a colon, so that one search finds it.
"""

from providers.adapters.http.errors import BrokenResponse


def cut_head(received: bytes, *, interim_count: int) -> bytes:
    """Cut the last head out of what was received, after as many interim ones and before the body."""
    start = 0
    for _ in range(interim_count):
        start = _end_of(received, start) + 4
    while received.startswith((b"\r", b"\n"), start):  # blank lines before a status line are allowed for
        start += 1
    end = _end_of(received, start)
    return received[received.index(b"\r\n", start) : end + 2]


def find_header(head: bytes, name: bytes) -> bytes | None:
    """Find the first value of a header by its lower-case name."""
    start = head.lower().find(b"\r\n" + name + b":")
    if start < 0:
        return None
    start += len(name) + 3
    return head[start : head.index(b"\r\n", start)].strip(b" \t")


def all_headers(head: bytes) -> list[tuple[bytes, bytes]]:
    """List all headers, names in lower case, in the order they came."""
    headers = []
    for line in head[2:-2].split(b"\r\n") if len(head) > 2 else ():
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value.strip(b" \t")))
    return headers


def content_encoding(head: bytes) -> bytes:
    """Give the one encoding of the body, b"" when there is none or more than one."""
    if head.lower().count(b"\r\ncontent-encoding:") != 1:
        return b""
    return find_header(head, b"content-encoding") or b""


def ends_with_connection(head: bytes) -> bool:
    """Tell whether the body lasts until the connection closes: neither a length nor chunks (RFC 9112 6.3)."""
    encodings = [value for name, value in all_headers(head) if name == b"transfer-encoding"]
    if encodings:
        return not encodings[-1].lower().endswith(b"chunked")
    return find_header(head, b"content-length") is None


def _end_of(received: bytes, start: int) -> int:
    end = received.find(b"\r\n\r\n", start)
    if end < 0:
        raise BrokenResponse("a head without an end", sent=True)  # not after the parser found one
    return end
