"""All of it behind the contract of a back."""

import msgspec

from providers.dialects.bedrock_converse.codec import CHAT_BACK
from providers.dialects.canonical import Capabilities, Dialect
from providers.dialects.codec import Upstream
from providers.dialects.conversation import Request, Text
from tests.providers.dialects.bedrock_converse.frames import cassette, stream
from tests.providers.dialects.bedrock_converse.requests import CLAUDE, user
from tests.providers.dialects.streams import assemble, decode_all


def test_there_and_back() -> None:
    encoded = CHAT_BACK.encode_request(
        Request("r", (user(Text("hi")),), Dialect.OPENAI), Upstream(CLAUDE, Capabilities())
    )
    assert msgspec.json.decode(encoded.body) == {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
    whole = CHAT_BACK.decode_answer(msgspec.json.encode(cassette("chat.json")["response"]))
    streamed = assemble(decode_all(CHAT_BACK.decoder(), [stream("chat_stream.eventstream")]))
    assert streamed == whole
    assert CHAT_BACK.stream_type == b"application/vnd.amazon.eventstream"
    report = CHAT_BACK.read_error(429, {b"x-amzn-errortype": b"ThrottlingException"}.get, b'{"message":"m"}')
    assert report is not None
    assert report.code == "rate_limit_exceeded"
