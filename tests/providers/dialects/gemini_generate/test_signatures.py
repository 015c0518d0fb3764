import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.dialects.canonical import Dialect
from providers.dialects.gemini_generate.signatures import STAND_IN, Signature, unwrap, wrap


@given(st.text(), st.sampled_from(list(Dialect)), st.booleans())
def test_a_signature_comes_back_to_its_vendor_in_either_alphabet(text: str, dialect: Dialect, redacted: bool) -> None:
    text = text.encode("utf-8", "ignore").decode() or "x"
    if dialect is Dialect.GEMINI:
        signed = Signature(signature=text, dialect=dialect)
        assert unwrap(wrap(signed)) == (signed if text != STAND_IN else Signature())
        return
    signed = Signature(redacted=text, dialect=dialect) if redacted else Signature(signature=text, dialect=dialect)
    wrapped = wrap(signed)
    assert unwrap(wrapped) == signed
    assert unwrap(base64.urlsafe_b64encode(base64.b64decode(wrapped)).decode()) == signed


@pytest.mark.parametrize("text", ["bGxtLWdhdGV3YXkv", "bGxtLWdhdGV3YXkv!", "c2ln"])
def test_whatever_is_not_marked_whole_is_gemini_s_own(text: str) -> None:
    assert unwrap(text) == Signature(signature=text, dialect=Dialect.GEMINI)


def test_the_stand_in_is_nobody_s() -> None:
    assert unwrap(STAND_IN) == unwrap("") == Signature()
