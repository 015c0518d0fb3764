"""Numbers, however nested, become one vector for each input."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import UpstreamBroken
from providers.dialects.features.codec import EMBEDDING_BACK

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "huggingface"
RECORDED: dict[str, Any] = msgspec.json.decode((CASSETTES / "features.json").read_bytes())


def decode(value: Any) -> tuple[tuple[float, ...], ...]:
    return EMBEDDING_BACK.decode_answer(msgspec.json.encode(value)).vectors


def test_recorded_answers() -> None:
    assert decode(RECORDED["response"]) == ((0.5, -0.5, 0.25), (0.0, 1.0, 0.125))
    assert decode(RECORDED["by_token"]) == ((2.0, 3.0), (5.0, 6.0))
    assert decode([0.5, 1]) == ((0.5, 1.0),)


@given(st.lists(st.lists(st.tuples(*[st.integers(-99, 99)] * 3), min_size=1, max_size=5), min_size=1, max_size=4))
def test_tokens_are_averaged(texts: list[list[tuple[int, ...]]]) -> None:
    for vector, tokens in zip(decode(texts), texts, strict=True):
        assert vector == tuple(sum(numbers) / len(tokens) for numbers in zip(*tokens, strict=True))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"[[]]", b'[["a"]]', b"[[true]]", b"[[1],[[[[[[1]]]]]]]", b"[[[1,2],[3]]]", b"[[1,2"]
)
def test_what_is_no_answer_is_broken(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        EMBEDDING_BACK.decode_answer(body)


def test_a_number_beyond_all_measure_is_none() -> None:
    with pytest.raises(UpstreamBroken):
        decode([[0.5, 10**400]])
