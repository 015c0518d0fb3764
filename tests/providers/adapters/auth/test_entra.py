"""Tokens from Entra ID, by the whole flow against servers of our own."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from providers.adapters.auth.base import CredentialBroken
from providers.adapters.auth.entra import RESOURCE, fetch_entra_token
from tests.providers.adapters.auth.token_server import Answer, TokenServer

DISCOVERY = "/tenant/v2.0/.well-known/openid-configuration"
GIVEN = {"access_token": "eyJ.x", "expires_in": 3600, "token_type": "Bearer"}


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    about = {
        "token_endpoint": "{base}/tenant/oauth2/v2.0/token",
        "authorization_endpoint": "{base}/tenant/oauth2/v2.0/authorize",
        "issuer": "{base}/tenant/v2.0",
    }
    answers: dict[str, Answer] = {DISCOVERY: (200, about), "/tenant/oauth2/v2.0/token": (200, dict(GIVEN))}
    running = TokenServer(answers, context, host="localhost")
    yield running
    running.close()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    running = TokenServer({"/identity": (200, {**GIVEN, "expires_on": "4102444800", "resource": RESOURCE})})
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{running.url}/identity")
    monkeypatch.setenv("IDENTITY_HEADER", "secret-of-the-machine")
    yield running
    running.close()


def application(authority: TokenServer, **more: str) -> str:
    info = {"tenant_id": "tenant", "client_id": "c", "client_secret": "s", "authority": authority.url}
    return json.dumps(info | more)


def test_an_application_gets_a_token(authority: TokenServer) -> None:
    token = fetch_entra_token(application(authority))
    assert token.value == "eyJ.x"
    path, form, _ = authority.asked[-1]
    assert path == "/tenant/oauth2/v2.0/token"
    assert (form["grant_type"], form["scope"]) == (["client_credentials"], [f"{RESOURCE}/.default"])
    assert "eyJ" not in repr(token)


def test_another_cloud_has_another_scope(authority: TokenServer) -> None:
    fetch_entra_token(application(authority, scope="https://cognitiveservices.azure.us/.default"))
    assert authority.asked[-1][1]["scope"] == ["https://cognitiveservices.azure.us/.default"]


def test_a_refused_secret(authority: TokenServer) -> None:
    refusal = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
    authority.answers["/tenant/oauth2/v2.0/token"] = (401, refusal)
    with pytest.raises(CredentialBroken, match="AADSTS7000215"):
        fetch_entra_token(application(authority))


@pytest.mark.parametrize(("credential", "client_id"), [("", None), ('{"client_id": "mine"}', ["mine"])])
def test_a_machine_has_an_identity(machine: TokenServer, credential: str, client_id: list[str] | None) -> None:
    assert fetch_entra_token(credential).value == "eyJ.x"
    _, form, headers = machine.asked[-1]
    assert form["resource"] == [RESOURCE]
    assert form.get("client_id") == client_id
    assert headers["x-identity-header"] == "secret-of-the-machine"


def test_an_authority_that_is_not_there() -> None:
    info = {"tenant_id": "t", "client_id": "c", "client_secret": "s", "authority": "https://127.0.0.1:9"}
    with pytest.raises(CredentialBroken):
        fetch_entra_token(json.dumps(info))


@pytest.mark.parametrize(
    ("credential", "words"),
    [
        ("sk-plain", "not JSON"),
        ("[1]", "an object of"),
        ('{"password": "x"}', "an object of"),
        ('{"client_secret": 1}', "an object of"),
        ('{"client_secret": "s"}', "a tenant_id, a client_id and a client_secret"),
    ],
)
def test_what_is_no_credential(credential: str, words: str) -> None:
    with pytest.raises(CredentialBroken, match=words) as caught:
        fetch_entra_token(credential)
    assert "sk-plain" not in str(caught.value)
