"""Tokens are fetched once, renewed in time, and missed politely."""

import asyncio
import logging
import threading

import pytest

from kernel.errors import UpstreamRefused
from providers.adapters.auth.base import CredentialBroken
from providers.adapters.auth.tokens import FAILURE_KEPT_S, RENEWED_BEFORE_S, Token, TokenAuthenticator
from providers.adapters.connection import Connection, Headers
from tests.builders import connection


class Vendor:
    """Gives a numbered token for an hour, or breaks; its clock stands still."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0
        self.asked: list[str] = []
        self.broken = False
        self.begun = threading.Semaphore(0)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.authenticator = TokenAuthenticator(self.fetch, lambda: self.now_s)

    def fetch(self, credential: str) -> Token:
        self.asked.append(credential)
        self.begun.release()
        assert self.may_answer.wait(10)
        assert threading.current_thread() is not threading.main_thread()
        if self.broken:
            raise CredentialBroken("the key was revoked")
        return Token(f"t{len(self.asked)}", self.now_s + 3600)

    async def begin(self) -> None:
        """Wait until it was asked once more."""
        assert await asyncio.to_thread(self.begun.acquire, timeout=10)

    async def headers(self, of: Connection | None = None) -> Headers:
        return await self.authenticator.headers(of or to())


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


def to(credential: str = "key") -> Connection:
    return connection(credential=credential)


def bearer(token: str) -> Headers:
    return ((b"authorization", b"Bearer " + token.encode()),)


async def test_many_calls_share_one_token(vendor: Vendor) -> None:
    found = await asyncio.gather(*(vendor.headers() for _ in range(20)))
    assert set(found) == {bearer("t1")}
    assert vendor.asked == ["key"]


async def test_credentials_have_tokens_of_their_own(vendor: Vendor) -> None:
    assert await vendor.headers(to("a")) != await vendor.headers(to("b"))
    assert vendor.asked == ["a", "b"]


async def test_a_token_is_renewed_before_it_ends(vendor: Vendor) -> None:
    await vendor.headers()
    vendor.now_s += 3600 - RENEWED_BEFORE_S - 1
    assert await vendor.headers() == bearer("t1")
    vendor.now_s += 1
    assert await vendor.headers() == bearer("t2")


async def test_nobody_waits_for_a_renewal_while_the_old_token_is_good(vendor: Vendor) -> None:
    await vendor.headers()
    vendor.now_s += 3600 - RENEWED_BEFORE_S
    vendor.may_answer.clear()
    renewing = asyncio.ensure_future(vendor.headers())
    await vendor.begin()
    await vendor.begin()
    assert await vendor.headers() == bearer("t1")
    vendor.may_answer.set()
    assert await renewing == bearer("t2")


async def test_the_old_token_serves_while_it_can_not_be_renewed(vendor: Vendor) -> None:
    await vendor.headers()
    vendor.broken = True
    vendor.now_s += 3600 - 1
    assert await vendor.headers() == bearer("t1")
    vendor.now_s += 1
    with pytest.raises(UpstreamRefused):
        await vendor.headers()


async def test_a_credential_of_no_use_is_the_operators_problem(
    vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    vendor.broken = True
    with caplog.at_level(logging.WARNING), pytest.raises(UpstreamRefused) as caught:
        await vendor.headers()
    refused = caught.value
    assert (refused.status, refused.code, refused.retryable) == (502, "upstream_authentication_failed", True)
    assert "revoked" not in refused.message
    assert vars(caplog.records[-1])["reason"] == "the key was revoked"


async def test_a_failure_is_not_asked_about_again_at_once(vendor: Vendor) -> None:
    vendor.broken = True
    for _ in range(3):
        with pytest.raises(UpstreamRefused):
            await vendor.headers()
    assert len(vendor.asked) == 1
    vendor.broken = False
    vendor.now_s += FAILURE_KEPT_S
    assert await vendor.headers() == bearer("t2")


async def test_a_vendor_that_does_not_answer(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.adapters.auth.tokens.FETCH_S", 0.01)
    vendor.may_answer.clear()
    with pytest.raises(UpstreamRefused):
        await vendor.headers()
    vendor.may_answer.set()


async def test_a_refused_token_is_forgotten(vendor: Vendor) -> None:
    await vendor.headers()
    vendor.authenticator.forget(to("somebody else's"))
    assert await vendor.headers() == bearer("t1")
    vendor.authenticator.forget(to())
    assert await vendor.headers() == bearer("t2")


async def test_a_caller_that_gives_up_leaves_the_others_alone(vendor: Vendor) -> None:
    vendor.may_answer.clear()
    impatient = asyncio.ensure_future(vendor.headers())
    await vendor.begin()
    patient = asyncio.ensure_future(vendor.headers())
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    vendor.may_answer.set()
    assert await patient == bearer("t2")
