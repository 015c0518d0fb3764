"""Pictures: one body for both of Amazon's models."""

from typing import Any

import msgspec
import pytest

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Capabilities, Dialect, Usage
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.picture import Picture, PictureRequest
from providers.dialects.titan.pictures import decode_answer, encode_request
from tests.providers.dialects.bedrock_converse.frames import cassette


def encode(**fields: Any) -> Encoded:
    usual: dict[str, Any] = {"model": "route", "prompt": "a fox", "dialect": Dialect.OPENAI}
    return encode_request(PictureRequest(**(usual | fields)), Upstream("amazon.nova-canvas-v1:0", Capabilities()))


def body_of(encoded: Encoded) -> Any:
    return msgspec.json.decode(encoded.body)


def test_the_least() -> None:
    encoded = encode()
    assert body_of(encoded) == {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox"}}
    assert (encoded.unsupported, encoded.ignored) == ((), ())


def test_a_recorded_exchange() -> None:
    recorded = cassette("image.json")
    encoded = encode(n=2, width=1024, height=512, quality="hd", seed=7, negative_prompt="snow")
    assert body_of(encoded) == recorded["request"]
    answer = decode_answer(msgspec.json.encode(recorded["response"]))
    assert answer.pictures == (Picture(data="iVBORw0KGgo="),) * 2
    assert answer.usage == Usage(images=2)


@pytest.mark.parametrize(
    ("quality", "written", "lost"),
    [("high", "premium", ()), ("medium", "standard", ()), ("auto", None, ()), ("ultra", None, ("quality",))],
)
def test_qualities(quality: str, written: str | None, lost: tuple[str, ...]) -> None:
    encoded = encode(quality=quality)
    assert body_of(encoded).get("imageGenerationConfig", {}).get("quality") == written
    assert encoded.unsupported == lost


def test_what_can_not_be_said_is_named() -> None:
    encoded = encode(inline=False, user="me", extras={"style": msgspec.Raw(b'"vivid"')})
    assert (encoded.unsupported, encoded.ignored) == (("style", "response_format"), ("user",))
    assert encode(inline=True).unsupported == ()


def test_own_extras_are_written_back() -> None:
    assert body_of(encode(dialect=Dialect.TITAN, extras={"x": msgspec.Raw(b"1")}))["x"] == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"images":[],"error":"blocked by our content filters"}', "content_filter"),
        (b'{"images":null}', "upstream_invalid_response"),
        (b"", "upstream_invalid_response"),
        (b'{"images":7}', "upstream_invalid_response"),
    ],
)
def test_what_holds_no_pictures(body: bytes, code: str) -> None:
    with pytest.raises(UpstreamBroken) as caught:
        decode_answer(body)
    assert caught.value.code == code
