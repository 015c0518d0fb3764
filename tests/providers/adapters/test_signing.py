"""Whose credentials sign a request, where they are found, and how long they are good for."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import CredentialRetrievalError

from kernel.errors import UpstreamRefused
from providers.adapters import signing
from providers.adapters.http import Origin, UpstreamRequest
from providers.adapters.signing import Lender, Signer, find_credentials, is_api_key, read_keys, sign
from tests.providers.adapters.sigv4 import ACCESS_KEY, KEYS, SECRET_KEY, assert_signed

ORIGIN = Origin("https", "bedrock-runtime.us-east-1.amazonaws.com", 443)
TARGET = b"/model/a.b%3A0/converse"
URL = f"{ORIGIN}{TARGET.decode()}"
JSON = ((b"content-type", b"application/json"),)
BODY = b'{"messages":[]}'


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which there are no credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


Reply = Callable[[str], tuple[int, bytes]]


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], str]]:
    """Start servers that answer every request with what a function makes of its body."""
    servers: list[ThreadingHTTPServer] = []

    def start(reply: Reply) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                status, answer = reply(given)
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET  # noqa: N815 - the handler's own name

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


async def signed(credential: str, signer: Signer | None = None) -> UpstreamRequest:
    own = await (signer or Signer()).headers(credential, "us-east-1", url=URL, headers=JSON, body=BODY)
    return UpstreamRequest("POST", ORIGIN, TARGET, headers=(*JSON, *own), body=BODY)


async def refused(credential: str) -> UpstreamRefused:
    with pytest.raises(UpstreamRefused) as caught:
        await signed(credential)
    return caught.value


async def test_keys_of_its_own() -> None:
    assert assert_signed(await signed(KEYS), region="us-east-1") == ["content-type", "host", "x-amz-date"]


async def test_a_session_token_is_sent_and_signed() -> None:
    request = await signed(KEYS[:-1] + ',"aws_session_token":"tok"}')
    assert dict(request.headers)[b"x-amz-security-token"] == b"tok"
    assert "x-amz-security-token" in assert_signed(request, region="us-east-1")


def test_botocore_signs_the_same_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 11, 21, 12, 0, 0)  # noqa: DTZ001 - as botocore's own clock gives it
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: at)
    credentials = Credentials(ACCESS_KEY, SECRET_KEY)
    theirs = AWSRequest("POST", URL, data=BODY, headers={"Content-Type": "application/json"})
    SigV4Auth(credentials, "bedrock", "us-east-1").add_auth(theirs)
    ours = dict(sign(credentials, "us-east-1", url=URL, headers=JSON, body=BODY))
    assert ours[b"authorization"].decode() == theirs.headers["Authorization"]
    assert ours[b"x-amz-date"] == b"20261121T120000Z"
    assert b"x-amz-security-token" not in ours


@pytest.mark.parametrize(
    ("credential", "is_key"), [("", False), (" ", False), (KEYS, False), (" {}", False), ("ABSK…", True)]
)
def test_which_of_the_three_a_credential_is(credential: str, is_key: bool) -> None:
    assert is_api_key(credential) is is_key


async def test_an_api_key() -> None:
    assert dict((await signed(" ABSKkey\n")).headers)[b"authorization"] == b"Bearer ABSKkey"


@pytest.mark.parametrize(
    "credential",
    [
        "{",
        '{"aws_access_key_id":"a"}',
        '{"aws_secret_access_key":"hush-hush"}',
        '{"aws_access_key":"a"}',
        '{"profile":7}',
        "{}",
        "",
        '{"profile":"nobody"}',
    ],
)
async def test_a_credential_that_leads_nowhere(credential: str) -> None:
    error = await refused(credential)
    assert (error.status, error.code) == (502, "upstream_authentication_failed")
    assert "hush-hush" not in error.message


async def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "envsecret")
    assert_signed(await signed(""), region="us-east-1", access_key="ENVKEY", secret_key="envsecret")


async def test_a_profile(tmp_path: Path) -> None:
    text = "[work]\naws_access_key_id = WORKKEY\naws_secret_access_key = worksecret\n"
    (tmp_path / "credentials").write_text(text)
    request = await signed('{"profile":"work"}')
    assert_signed(request, region="us-east-1", access_key="WORKKEY", secret_key="worksecret")


async def test_a_container(monkeypatch: pytest.MonkeyPatch, serve: Callable[[Reply], str]) -> None:
    expires_at = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = {"AccessKeyId": "BOXKEY", "SecretAccessKey": "boxsecret", "Token": "boxtoken", "Expiration": expires_at}
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", serve(lambda _: (200, msgspec.json.encode(answer))))
    request = await signed("")
    assert_signed(request, region="us-east-1", access_key="BOXKEY", secret_key="boxsecret")
    assert dict(request.headers)[b"x-amz-security-token"] == b"boxtoken"


async def test_a_role(monkeypatch: pytest.MonkeyPatch, serve: Callable[[Reply], str]) -> None:
    asked: list[str] = []
    expires_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    def take(given: str) -> tuple[int, bytes]:
        asked.append(given)
        answer = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
            <Credentials><AccessKeyId>ROLEKEY</AccessKeyId><SecretAccessKey>rolesecret</SecretAccessKey>
            <SessionToken>roletoken</SessionToken><Expiration>{expires_at}</Expiration></Credentials>
            </AssumeRoleResult></AssumeRoleResponse>"""
        return 200, answer.encode()

    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", serve(take))
    role = ',"role_arn":"arn:aws:iam::123456789012:role/gate","external_id":"x1"}'
    request = await signed(KEYS[:-1] + role)
    assert_signed(request, region="us-east-1", access_key="ROLEKEY", secret_key="rolesecret")
    assert len(asked) == 1
    assert "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fgate" in asked[0]
    assert "ExternalId=x1" in asked[0]


async def test_a_role_that_is_refused(monkeypatch: pytest.MonkeyPatch, serve: Callable[[Reply], str]) -> None:
    answer = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>hush</Message></Error></ErrorResponse>"
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", serve(lambda _: (403, answer)))
    error = await refused(KEYS[:-1] + ',"role_arn":"arn:aws:iam::123456789012:role/gate"}')
    assert error.code == "upstream_authentication_failed"
    assert "hush" not in error.message


def test_no_credentials_to_take_a_role_with() -> None:
    assert find_credentials(read_keys('{"role_arn":"arn:aws:iam::123456789012:role/gate"}'), "us-east-1") is None


class Source:
    """Stands in for botocore's credentials: each look gives new ones; it notes who looks."""

    def __init__(self) -> None:
        self.found = 0
        self.copied = 0
        self.threads: set[int] = set()
        self.error: Exception | None = None
        self.held = threading.Event()
        self.held.set()

    def find(self) -> "Source":
        self.found += 1
        return self

    def get_frozen_credentials(self) -> Any:
        self.held.wait(5)
        self.copied += 1
        self.threads.add(threading.get_ident())
        if self.error is not None:
            raise self.error
        return ReadOnlyCredentials(f"KEY{self.copied}", "s", None)


async def settled(lender: Lender) -> None:
    """Wait until nobody renews."""
    await asyncio.sleep(0)
    async with lender._lock:
        pass


async def test_a_burst_looks_once_and_never_on_the_loop() -> None:
    source = Source()
    lender = Lender(source.find)
    copies = await asyncio.gather(*(lender.lend() for _ in range(20)))
    assert {copy.access_key for copy in copies} == {"KEY1"}
    assert (source.found, source.copied) == (1, 1)
    assert threading.get_ident() not in source.threads


async def test_a_copy_is_renewed_behind_the_calls() -> None:
    source = Source()
    lender = Lender(source.find)
    await lender.lend()
    lender._copied_at_s -= 100
    assert [(await lender.lend()).access_key for _ in range(3)] == ["KEY1"] * 3
    await settled(lender)
    assert (await lender.lend()).access_key == "KEY2"
    assert (source.found, source.copied) == (1, 2)


async def test_a_copy_outlives_a_renewal_that_fails_but_not_for_long() -> None:
    source = Source()
    lender = Lender(source.find)
    await lender.lend()
    source.error = CredentialRetrievalError(provider="p", error_msg="hush")
    lender._copied_at_s -= 100
    assert (await lender.lend()).access_key == "KEY1"
    await settled(lender)
    assert (await lender.lend()).access_key == "KEY1"
    await settled(lender)
    lender._copied_at_s -= 300
    with pytest.raises(UpstreamRefused) as caught:
        await lender.lend()
    assert "hush" not in caught.value.message


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "_RENEWAL_S", 0.01)
    source = Source()
    source.held.clear()
    with pytest.raises(UpstreamRefused, match="in time"):
        await Lender(source.find).lend()
    source.held.set()


async def test_what_is_forgotten_is_looked_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OLD")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    signer = Signer()
    assert_signed(await signed("", signer), region="us-east-1", access_key="OLD", secret_key="s")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NEW")
    assert_signed(await signed("", signer), region="us-east-1", access_key="OLD", secret_key="s")
    signer.forget("", "us-east-1")
    signer.forget("", "us-east-1")
    assert_signed(await signed("", signer), region="us-east-1", access_key="NEW", secret_key="s")


async def test_so_many_credentials_are_kept_and_no_more() -> None:
    signer = Signer()
    for number in range(signing._LENDERS_MAX + 5):
        signer._lender(KEYS, f"region-{number}")
    assert len(signer._lenders) <= signing._LENDERS_MAX
