"""Both versions are served, and the newer one refuses what it no longer takes."""

from typing import Any

import pytest

from kernel.errors import InvalidRequest
from providers.dialects.anthropic_messages.versions import FIRST, STRICT, body_version, require_version
from tests.providers.dialects.anthropic_messages.recorded import body

TURN = {"role": "user", "content": "hi"}


def test_a_missing_header_means_the_first_version() -> None:
    assert require_version(None, b"not read") == FIRST
    assert require_version(b"2026-10-21", body({"messages": [TURN]})) == STRICT


def test_an_unknown_version_is_named() -> None:
    with pytest.raises(InvalidRequest, match="2019-01-01") as caught:
        require_version(b"2019-01-01", b"{}")
    assert (caught.value.code, caught.value.param) == ("invalid_version", "anthropic-version")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 1}, "temperature"),
        ({"top_p": 0.5}, "top_p"),
        ({"top_k": 5}, "top_k"),
        ({"messages": [TURN, {"role": "assistant", "content": [{"type": "document"}]}]}, "messages[1].content[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "citations": [{}]}]}]},
            "messages[0].content[0].citations",
        ),
    ],
)
def test_the_newer_version_refuses_what_the_first_takes(fields: dict[str, Any], param: str) -> None:
    said = body({"messages": [TURN]} | fields)
    assert require_version(b"2023-06-01", said) == FIRST
    with pytest.raises(InvalidRequest) as caught:
        require_version(b"2026-10-21", said)
    assert (caught.value.status, caught.value.param) == (400, param)


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": None},
        {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": 'the "temperature"'}]},
        {"messages": [{"role": "user", "content": [{"type": "document", "citations": {"enabled": True}}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "text", "text": "x", "citations": [{}]}]}]},
    ],
)
def test_the_newer_version_takes_all_else(fields: dict[str, Any]) -> None:
    assert require_version(b"2026-10-21", body({"messages": [TURN]} | fields)) == STRICT


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("", (False, "", True, True)),
        ("2023-06-01", (False, "", True, True)),
        ("2026-10-21", (True, "", True, True)),
        ("vertex-2023-10-16", (False, "vertex-2023-10-16", False, True)),
        ("vertex-2026-10-21", (True, "2026-10-21", False, True)),
        ("bedrock-2023-05-31", (False, "bedrock-2023-05-31", False, False)),
    ],
)
def test_clouds_have_the_version_in_the_body(version: str, expected: tuple[bool, str, bool, bool]) -> None:
    found = body_version(version)
    assert (found.strict, found.declared, found.names_model, found.names_stream) == expected
