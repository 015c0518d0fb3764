"""A request for pictures comes back the same from the dialect, and says what it had to leave out."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Dialect
from providers.dialects.openai_media.asking import encode_request
from providers.dialects.openai_media.pictures import decode_request
from providers.dialects.picture import PictureRequest
from tests.providers.dialects.openai_media.recordings import upstream

sizes = st.none() | st.tuples(st.integers(1, 4096), st.integers(1, 4096))
requests = st.builds(
    lambda size, **fields: PictureRequest(
        dialect=Dialect.OPENAI, width=size[0] if size else None, height=size[1] if size else None, **fields
    ),
    size=sizes,
    model=st.just("up"),
    prompt=st.text(),
    n=st.integers(1, 10),
    quality=st.sampled_from(["", "low", "hd"]),
    inline=st.none() | st.booleans(),
    seed=st.none() | st.integers(0, 2**31),
    negative_prompt=st.text(max_size=5),
    user=st.text(max_size=5),
    extras=st.dictionaries(st.sampled_from(["style", "background"]), st.just(msgspec.Raw(b'"x"'))),
)


@given(requests)
def test_what_is_written_is_read_as_the_same(request: PictureRequest) -> None:
    encoded = encode_request(request, upstream())
    assert decode_request(encoded.body) == request
    assert encoded.unsupported == encoded.ignored == ()


def test_what_the_dialect_has_no_place_for_is_named() -> None:
    request = PictureRequest(
        model="m",
        prompt="p",
        dialect=Dialect.GEMINI,
        seed=1,
        negative_prompt="no dogs",
        extras={"personGeneration": msgspec.Raw(b'"allow"'), "labels": msgspec.Raw(b'{"a":"b"}')},
    )
    encoded = encode_request(request, upstream())
    assert msgspec.json.decode(encoded.body) == {"model": "up", "prompt": "p"}
    assert set(encoded.unsupported) == {"seed", "negative_prompt", "personGeneration"}
    assert encoded.ignored == ("labels",)


def test_models_that_always_answer_inline_are_not_asked_for_it() -> None:
    inline = PictureRequest(model="m", prompt="p", dialect=Dialect.GEMINI, inline=True)
    by_address = msgspec.structs.replace(inline, inline=False)
    assert encode_request(inline, upstream("gpt-image-1")).body == b'{"model":"gpt-image-1","prompt":"p"}'
    assert encode_request(by_address, upstream("openai/gpt-image-1")).unsupported == ("response_format",)
    assert b'"response_format":"b64_json"' in encode_request(inline, upstream("dall-e-3")).body
