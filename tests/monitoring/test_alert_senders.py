"""What arrives: signed requests at a real receiver, mail at a real server; and why something did not."""

import hashlib
import hmac
import json
import smtplib
import socket

import pytest
from django.core import mail
from django.test import override_settings

from kernel.secrets import new_sealing_key
from monitoring import alert_senders
from monitoring.alert_messages import trial_message
from monitoring.alert_senders import NotSent, send, sign
from monitoring.models import AlertChannel
from tests.monitoring.receivers import MailServer, Webhook
from tests.monitoring.spending import NOW, SECRET, add_mail, add_webhook

pytestmark = pytest.mark.django_db
MESSAGE = trial_message(NOW)


def test_a_signature_is_what_the_documentation_says() -> None:
    expected = hmac.new(b"key", b'1795262400.{"a":1}', hashlib.sha256).hexdigest()
    assert sign(b'{"a":1}', secret="key", at=NOW) == f"t=1795262400,v1={expected}"


class TestWebhook:
    def test_a_request_proves_where_it_comes_from(self, webhook: Webhook) -> None:
        send(add_webhook(webhook.url), MESSAGE, NOW)
        [(headers, body)] = webhook.received
        moment, _, given = headers["x-gateway-signature"].removeprefix("t=").partition(",v1=")
        assert given == hmac.new(SECRET.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert headers["x-gateway-event-id"] == json.loads(body)["id"] == MESSAGE.id
        assert headers["content-type"] == "application/json"

    @pytest.mark.parametrize("status", [400, 404, 500])
    def test_an_error_is_one(self, webhook: Webhook, status: int) -> None:
        webhook.status = status
        with pytest.raises(NotSent, match=f"status {status}"):
            send(add_webhook(webhook.url), MESSAGE, NOW)

    def test_no_redirect_is_followed(self, webhook: Webhook) -> None:
        webhook.status, webhook.location = 307, webhook.url
        with pytest.raises(NotSent, match="elsewhere"):
            send(add_webhook(webhook.url), MESSAGE, NOW)
        assert len(webhook.received) == 1

    def test_silence_has_an_end(self, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(alert_senders, "TOTAL_TIMEOUT_S", 0.05)
        webhook.silence_s = 0.2
        with pytest.raises(NotSent, match="No answer"):
            send(add_webhook(webhook.url), MESSAGE, NOW)

    def test_nothing_listens(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
            with pytest.raises(NotSent, match="nothing listens"):
                send(add_webhook(url), MESSAGE, NOW)

    @pytest.mark.parametrize("url", ["http://[::1", "http://a:port/", "http://x\u2028y/", f"http://{'a' * 70}.test/"])
    def test_an_address_that_is_none(self, url: str) -> None:
        with pytest.raises(NotSent):
            send(AlertChannel(kind="webhook", url=url), MESSAGE, NOW)

    def test_a_secret_that_cannot_be_opened(self, webhook: Webhook) -> None:
        channel = add_webhook(webhook.url)
        with override_settings(GATEWAY_SEALING_KEYS=[new_sealing_key()]), pytest.raises(NotSent, match="secret"):
            send(channel, MESSAGE, NOW)
        assert webhook.received == []


class TestMail:
    def test_it_is_plain_text_to_everybody(self) -> None:
        send(add_mail(), MESSAGE, NOW)
        [sent] = mail.outbox
        assert sent.to == ["ada@example.org", "bob@example.org"]
        assert sent.subject == "Test: Example (all together): 80 % spent"
        assert "This is a test." in str(sent.body)

    def test_it_goes_through_a_server(self, mail_server: MailServer) -> None:
        with override_settings(**server_settings(mail_server), DEFAULT_FROM_EMAIL="Gateway <gw@example.org>"):
            send(add_mail(), MESSAGE, NOW)
        [(recipients, text)] = mail_server.received
        assert recipients == ["ada@example.org", "bob@example.org"]
        assert f"Message-ID: <{MESSAGE.id}@example.org>" in text

    @pytest.mark.parametrize(
        ("refuses", "why"), [("MAIL", "sender"), ("RCPT", "every address"), ("DATA", "refuses the message")]
    )
    def test_a_refusal_is_explained(self, mail_server: MailServer, refuses: str, why: str) -> None:
        mail_server.refuses = refuses
        with override_settings(**server_settings(mail_server)), pytest.raises(NotSent, match=why):
            send(add_mail(), MESSAGE, NOW)

    def test_there_is_no_server(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            nowhere = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": unused.getsockname()[1]}
            backend = "django.core.mail.backends.smtp.EmailBackend"
            with override_settings(EMAIL_BACKEND=backend, **nowhere), pytest.raises(NotSent, match="No connection"):
                send(add_mail(), MESSAGE, NOW)

    def test_every_smtp_error_has_words(self) -> None:
        assert issubclass(smtplib.SMTPException, OSError)
        kinds = [kind for kind, _ in alert_senders._MAIL_REFUSALS]
        assert kinds.index(smtplib.SMTPException) < kinds.index(OSError)


def server_settings(server: MailServer) -> dict[str, object]:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    return {"EMAIL_BACKEND": backend, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": server.port}
