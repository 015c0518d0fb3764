"""A body that is wrong is refused in words that name the field."""

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects import complaints


class _Inner(msgspec.Struct):
    text: str


class _Body(msgspec.Struct):
    model: str
    parts: list[_Inner] = []


DECODER = msgspec.json.Decoder(_Body)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"", "invalid_json", None),
        (b"{", "invalid_json", None),
        (b"\xff", "invalid_json", None),
        (b"[" * 100_000, "invalid_json", None),
        (b"[]", "invalid_json", None),
        (b"{}", "missing_required_parameter", "model"),
        (b'{"model":7}', "invalid_type", "model"),
        (b'{"model":"m","parts":[{"text":1}]}', "invalid_type", "parts[0].text"),
        (b'{"model":"m","parts":[{}]}', "missing_required_parameter", "parts[0].text"),
    ],
)
def test_what_is_wrong_is_named(body: bytes, code: str, param: str | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        complaints.decode(DECODER, body)
    assert (caught.value.code, caught.value.param) == (code, param)


def test_what_is_right_is_decoded() -> None:
    assert complaints.decode(DECODER, b'{"model":"m"}') == _Body("m")
