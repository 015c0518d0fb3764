"""Credentials in headers."""

import pytest

from providers.adapters.auth.static import STATIC, StaticAuthenticator, static_headers
from tests.builders import connection


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ("bearer", (b"authorization", b"Bearer s")),
        ("x-api-key", (b"x-api-key", b"s")),
        ("x-goog-api-key", (b"x-goog-api-key", b"s")),
        ("api-key", (b"api-key", b"s")),
    ],
)
def test_each_way_has_its_header(auth: str, header: tuple[bytes, bytes]) -> None:
    assert static_headers(auth, "s") == (header,)


@pytest.mark.parametrize("auth", STATIC)
def test_without_a_credential_there_is_no_header(auth: str) -> None:
    assert static_headers(auth, "") == ()


async def test_a_connections_own_way_goes_before_the_presets() -> None:
    signing = StaticAuthenticator()
    usual = connection(kind="anthropic", credential="s")
    other = connection(kind="anthropic", credential="s", options={"auth": "bearer"})
    assert await signing.headers(usual) == ((b"x-api-key", b"s"),)
    assert await signing.headers(other) == ((b"authorization", b"Bearer s"),)
    signing.forget(usual)
    assert await signing.headers(usual) == ((b"x-api-key", b"s"),)
