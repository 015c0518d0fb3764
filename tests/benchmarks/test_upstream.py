import pytest

from benchmarks.upstream import dialect_of, wants_stream
from providers.dialects.canonical import Dialect


@pytest.mark.parametrize(
    ("url", "dialect", "streams"),
    [
        (b"/v1/chat/completions", Dialect.OPENAI, False),
        (b"/v1/responses", Dialect.RESPONSES, False),
        (b"/v1/messages?beta=true", Dialect.ANTHROPIC, False),
        (b"/v1beta/models/gemini-2.5-flash:generateContent", Dialect.GEMINI, False),
        (b"/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", Dialect.GEMINI, True),
        (b"/model/amazon.nova-pro-v1%3A0/converse", Dialect.CONVERSE, False),
        (b"/model/amazon.nova-pro-v1%3A0/converse-stream", Dialect.CONVERSE, True),
    ],
)
def test_the_path_tells_what_is_spoken(url: bytes, dialect: Dialect, streams: bool) -> None:
    assert dialect_of(url) is dialect
    assert wants_stream(url, b"{}") is streams
    assert wants_stream(url, b'{"stream":true}')
