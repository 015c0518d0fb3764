"""What lists read from a query, and how they refuse what makes no sense."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from kernel.errors import InvalidRequest
from usage.rest.pages import read_moment, read_page_size, read_whole


def asked(**query: Any) -> Request:
    return Request(RequestFactory().get("/", query))


def test_whole_numbers() -> None:
    assert read_whole(asked(), "key", usual=3) == 3
    assert read_whole(asked(key="9223372036854775807"), "key", usual=3) == 2**63 - 1
    for text in ("-1", "1.5", "", "²", "9223372036854775808", "9" * 40):
        with pytest.raises(InvalidRequest) as caught:
            read_whole(asked(key=text), "key", usual=3)
        assert caught.value.param == "key"


def test_sizes() -> None:
    assert [read_page_size(asked(**query)) for query in ({}, {"limit": "0"}, {"limit": "500"})] == [100, 1, 500]
    with pytest.raises(InvalidRequest):
        read_page_size(asked(limit="501"))


@pytest.mark.parametrize("text", ["2026-06-01", "2026-06-01T00:00:00Z", "2026-06-01T02:00:00 02:00"])
def test_moments(text: str) -> None:
    assert read_moment(text, "start") == datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "0001-01-01T00:00:00+14:00", 7, "2026-13-01"])
def test_what_is_no_moment(text: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_moment(text, "start")
    assert caught.value.param == "start"
