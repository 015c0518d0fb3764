"""Both behind the contract of a back; neither streams."""

from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.codec import Back
from providers.dialects.titan.codec import EMBEDDING_BACK, IMAGE_BACK


@pytest.mark.parametrize("back", [EMBEDDING_BACK, IMAGE_BACK])
def test_there_are_no_streams(back: Back[Any, Any]) -> None:
    with pytest.raises(InvalidRequest):
        back.decoder()


@pytest.mark.parametrize("back", [EMBEDDING_BACK, IMAGE_BACK])
def test_errors_are_bedrocks(back: Back[Any, Any]) -> None:
    message = b'{"message":"400 Bad Request: Too many input tokens. Max input tokens: 8192"}'
    report = back.read_error(400, {b"x-amzn-errortype": b"ValidationException"}.get, message)
    assert report is not None
    assert report.code == "context_length_exceeded"


def test_there_and_back() -> None:
    assert EMBEDDING_BACK.decode_answer(b'{"embedding":[1]}').vectors == ((1.0,),)
    assert IMAGE_BACK.decode_answer(b'{"images":["aGk="]}').pictures[0].data == "aGk="
