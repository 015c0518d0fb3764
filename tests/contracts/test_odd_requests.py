"""Requests with one thing wrong in them: refused in words or taken as they are, by every front and for every back.

Whatever is wrong, nothing but InvalidRequest comes of it, and what is taken is JSON for the provider.
"""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from tests.contracts import asking, dialects
from tests.contracts.oddities import change, places_in, spoil

EXAMPLES = 12  # a case and front; a quarter of a million were tried when the test was written
ASKED = [(case, front) for case, fronts in asking.CASES.items() for front in fronts]


@pytest.mark.parametrize(("case", "front"), ASKED)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_nothing_but_a_refusal_comes_of_what_is_wrong(case: str, front: Dialect, data: st.DataObject) -> None:
    read(front, spoil(asking.CASES[case][front], data))


@pytest.mark.parametrize(("case", "front"), ASKED)
def test_any_field_may_be_missing_or_null(case: str, front: Dialect) -> None:
    body = asking.CASES[case][front]
    for at in places_in(body):
        read(front, json.dumps(change(body, at, None, drop=False)).encode())
        read(front, json.dumps(change(body, at, None, drop=True)).encode())


def read(front: Dialect, body: bytes) -> None:
    """Take a request as far as it goes."""
    door = dialects.chat_doors()[front]
    try:
        head = door.heads.decode_head(body, asking.PATH)
    except InvalidRequest as error:
        assert error.message
        return
    door.heads.read_prompt(body)
    assert door.through is not None
    msgspec.json.decode(door.through.patch(body, asking.upstream_of(front), head=head, once=True))
    try:
        request = dialects.front_of(front).decode_request(body, asking.PATH)
    except InvalidRequest as error:
        assert error.message
        return
    for dialect, back in dialects.chat_backs().items():
        try:
            encoded = back.encode_request(request, asking.upstream_of(dialect))
        except InvalidRequest as error:
            assert error.message
            continue
        msgspec.json.decode(encoded.body)
