"""Addresses and inline data are told apart, and written back."""

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.conversation import Source
from providers.dialects.openai_chat.sources import read_source, require_base64, write_source


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("https://x/y", Source(url="https://x/y")),
        ("HTTP://x/y", Source(url="HTTP://x/y")),
        ("gs://x/y", Source(url="gs://x/y")),
        ("data:image/png;base64,aGk=", Source(data="aGk=", media_type="image/png")),
        ("DATA:image/png;charset=x;BASE64,aGk=", Source(data="aGk=", media_type="image/png")),
        ("data:,h%69", Source(data="aGk=", media_type="text/plain")),
        ("aGk=", Source(data="aGk=", media_type="a/b")),
    ],
)
def test_reading(address: str, source: Source) -> None:
    assert read_source(address, media_type="a/b") == source


def test_writing() -> None:
    assert write_source(Source(url="https://x"), media_type="a/b") == "https://x"
    assert write_source(Source(data="aGk="), media_type="a/b") == "data:a/b;base64,aGk="


@pytest.mark.parametrize("data", ["%%%", "aGk", "aGk=\n", "é"])
def test_what_is_no_base64_is_refused(data: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        require_base64(data, "messages[0]")
    assert (caught.value.code, caught.value.param) == ("invalid_base64", "messages[0]")


def test_base64_passes() -> None:
    require_base64("aGk=", "messages[0]")
