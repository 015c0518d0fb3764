import msgspec
import pytest

from providers.dialects.gemini_generate.wire import ABSENT, PART_DECODER, is_given


@pytest.mark.parametrize(
    ("data", "is_known"),
    [
        (b'{"text":""}', True),
        (b'{"functionCall":{}}', True),
        (b'{"thoughtSignature":"AA"}', True),
        (b'{"executableCode":{}}', False),
        (b'{"fileData":{"fileUri":"gs://x"},"videoMetadata":{"fps":1}}', False),
        (b"{}", False),
    ],
)
def test_only_parts_with_a_place_in_the_hub_are_known(data: bytes, is_known: bool) -> None:
    assert PART_DECODER.decode(data).is_known is is_known


def test_null_is_not_given() -> None:
    assert not is_given(ABSENT)
    assert not is_given(msgspec.Raw(b"null"))
    assert is_given(msgspec.Raw(b"0"))
