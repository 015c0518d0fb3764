"""Tokens from Google, by the whole flow against a server of our own."""

import json
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.adapters.auth.base import CredentialBroken
from providers.adapters.auth.google import fetch_google_token
from tests.providers.adapters.auth.token_server import TokenServer


@pytest.fixture
def server() -> Iterator[TokenServer]:
    running = TokenServer({"/token": (200, {"access_token": "ya29.x", "expires_in": 3600, "token_type": "Bearer"})})
    yield running
    running.close()


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def key_file(server: TokenServer, private_key: str) -> str:
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "k",
            "private_key": private_key,
            "client_email": "gateway@p.iam.gserviceaccount.test",
            "token_uri": f"{server.url}/token",
        }
    )


def test_a_service_account_gets_a_token(server: TokenServer, private_key: str) -> None:
    token = fetch_google_token(key_file(server, private_key))
    assert token.value == "ya29.x"
    assert token.expires_at_s > 0
    ((path, form, _),) = server.asked
    assert (path, form["grant_type"]) == ("/token", ["urn:ietf:params:oauth:grant-type:jwt-bearer"])
    assert "ya29" not in repr(token)


def test_a_user_gets_a_token(server: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{server.url}/token")
    info = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    assert fetch_google_token(json.dumps(info)).value == "ya29.x"
    assert server.asked[0][1]["refresh_token"] == ["r"]


def test_an_empty_credential_is_where_the_gateway_runs(
    server: TokenServer, private_key: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("adc") / "key.json"
    path.write_text(key_file(server, private_key))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    assert fetch_google_token("").value == "ya29.x"


@pytest.mark.parametrize(
    ("credential", "words"),
    [
        ("AIza-something", "not JSON"),
        ("[]", "of the type service_account"),
        ('{"type": "external_account"}', "of the type service_account"),
        ('{"type": "service_account"}', "MalformedError"),
        ('{"type": "authorized_user"}', "ValueError"),
    ],
)
def test_what_is_no_key_file(credential: str, words: str) -> None:
    with pytest.raises(CredentialBroken, match=words) as caught:
        fetch_google_token(credential)
    assert "AIza" not in str(caught.value)


def test_a_refused_key(server: TokenServer, private_key: str) -> None:
    server.answers["/token"] = (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    with pytest.raises(CredentialBroken, match=r"RefreshError: .*Invalid JWT Signature"):
        fetch_google_token(key_file(server, private_key))
