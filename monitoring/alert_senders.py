"""The ways out: e-mail through the deployment's mail server, and signed requests to a webhook.

A webhook's receiver proves a request by computing HMAC-SHA256 over `<t>.<body>` with the channel's secret, where `t`
and the result stand in `x-gateway-signature: t=<unix seconds>,v1=<hex>`. The URL is an operator's choice and may lead
into private networks; of the answer nothing but the status is read, and no redirect is followed.
"""

import asyncio
import hashlib
import hmac
import smtplib
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parseaddr

import httpx2
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from kernel.secrets import SealBroken
from monitoring.alert_messages import Message, plain_text, subject_line, to_json
from monitoring.models import AlertChannel

__all__ = ["NotSent", "send", "sign"]

CONNECT_TIMEOUT_S, TOTAL_TIMEOUT_S = 3.0, 10.0
_MAIL_REFUSALS: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPAuthenticationError, "The mail server refuses the user name and password."),
    (smtplib.SMTPRecipientsRefused, "The mail server refuses every address."),
    (smtplib.SMTPSenderRefused, "The mail server refuses the sender's address."),
    (smtplib.SMTPNotSupportedError, "The mail server can't do what its settings ask for."),
    (smtplib.SMTPException, "The mail server refuses the message, or hung up."),
    (OSError, "No connection to the mail server."),
    (ValueError, "The message can't be written to these addresses."),
)


class NotSent(Exception):
    """The message may not have arrived; the text says why, without secrets and without the other side's words."""


def send(channel: AlertChannel, message: Message, at: datetime) -> None:
    """Send a message to a channel. Raises NotSent."""
    SENDERS[channel.kind](channel, message, at)


def sign(body: bytes, *, secret: str, at: datetime) -> str:
    """Return the signature header of a body that is sent at a moment."""
    moment_s = int(at.timestamp())
    digest = hmac.new(secret.encode(), b"%d.%b" % (moment_s, body), hashlib.sha256).hexdigest()
    return f"t={moment_s},v1={digest}"


def _send_mail(channel: AlertChannel, message: Message, at: datetime) -> None:
    """Send an e-mail; every try of a message has the same Message-ID, by which mailboxes know a repeated one."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    mail = EmailMessage(
        subject=subject_line(message),
        body=plain_text(message),
        to=channel.addresses,
        headers={"Message-ID": f"<{message.id}@{domain}>"},
        connection=get_connection(timeout=TOTAL_TIMEOUT_S),
    )
    try:
        mail.send()
    except (OSError, ValueError) as error:  # smtplib's errors are OSErrors
        raise NotSent(next(words for kind, words in _MAIL_REFUSALS if isinstance(error, kind))) from error


def _send_webhook(channel: AlertChannel, message: Message, at: datetime) -> None:
    body = to_json(message)
    try:
        signature = sign(body, secret=channel.secret(), at=at)
    except SealBroken as error:
        raise NotSent("The signing secret can't be opened any more: make a new one.") from error
    headers = {
        "content-type": "application/json",
        "user-agent": "llm-gateway",
        "x-gateway-event-id": message.id,
        "x-gateway-signature": signature,
    }
    # In a loop of its own, because only there a deadline holds for name look-up, connection and answer together.
    status = asyncio.run(_post(channel.url, body, headers))
    if 300 <= status < 400:
        raise NotSent(f"The URL sends us elsewhere ({status}): enter the final one.")
    if not 200 <= status < 300:
        raise NotSent(f"It answered with status {status}.")


async def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post a body and return the answer's status, whatever follows it. Raises NotSent."""
    timeout = httpx2.Timeout(TOTAL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    try:
        async with (
            asyncio.timeout(TOTAL_TIMEOUT_S),
            httpx2.AsyncClient(timeout=timeout, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            return response.status_code
    except httpx2.ConnectTimeout as error:
        raise NotSent(f"No connection within {CONNECT_TIMEOUT_S:g} s.") from error
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise NotSent(f"No answer within {TOTAL_TIMEOUT_S:g} s.") from error
    except httpx2.ConnectError as error:
        raise NotSent("No connection: nothing listens there, or its name or certificate is wrong.") from error
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        raise NotSent("The connection broke before there was an answer, or the URL is none.") from error


SENDERS: Mapping[str, Callable[[AlertChannel, Message, datetime], None]] = {
    AlertChannel.Kind.EMAIL.value: _send_mail,
    AlertChannel.Kind.WEBHOOK.value: _send_webhook,
}
