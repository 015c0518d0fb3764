"""Fields of forms are texts, those of JSON are what they are; both are checked alike."""

from decimal import Decimal

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.openai_media.checks import COUNT_MAX, read_count, read_flag, read_most, require


def test_counts() -> None:
    assert [read_count("n", value) for value in (None, "", 3, "3", COUNT_MAX)] == [1, 1, 3, 3, COUNT_MAX]
    assert read_count("partial_images", None, usual=0, least=0) == 0


@pytest.mark.parametrize(("value", "code"), [("x", "invalid_type"), (0, "invalid_value"), ("101", "invalid_value")])
def test_wrong_counts(value: str | int, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_count("n", value)
    assert (caught.value.code, caught.value.param) == (code, "n")


def test_yes_and_no() -> None:
    assert [read_flag("stream", value) for value in (True, "true", "1", "True")] == [True] * 4
    assert [read_flag("stream", value) for value in (False, None, "false", "0", "")] == [False] * 5
    with pytest.raises(InvalidRequest):
        read_flag("stream", "perhaps")


def test_what_must_be_there_and_the_most_that_a_call_may_cost() -> None:
    assert require("model", "m") == "m"
    with pytest.raises(InvalidRequest) as caught:
        require("model", "")
    assert (caught.value.code, caught.value.param) == ("missing_required_parameter", "model")
    assert (read_most(None), read_most(Decimal("0.5"))) == (None, 500_000_000)
