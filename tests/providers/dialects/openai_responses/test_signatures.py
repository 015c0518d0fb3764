"""A signature comes back as it went; what this gateway didn't write is nobody's but the vendor's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Dialect
from providers.dialects.openai_responses.signatures import Carried, unwrap, wrap

texts = st.text(st.characters(exclude_categories=("Cs",)))
carried = st.builds(Carried, st.sampled_from([None, *Dialect]), texts, texts, texts)


@given(carried)
def test_it_comes_back_as_it_went(value: Carried) -> None:
    assert unwrap(wrap(value)) == value


@given(st.text())
def test_other_texts_carry_nothing(text: str) -> None:
    assert unwrap(text) is None
    assert unwrap("eyJ" + text) is None


@pytest.mark.parametrize(
    "text", ["gAAAAABo", "", "eyJhIjoxfQ==", "eyJhIjox", "eyJkaWFsZWN0IjoibW9vbiIsImNhcnJpZWQiOjF9"]
)
def test_what_looks_alike_is_not_taken(text: str) -> None:
    assert unwrap(text) is None
