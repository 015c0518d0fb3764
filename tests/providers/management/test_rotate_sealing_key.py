"""Rotating the sealing key: the credentials survive, the old key is no longer needed, and what is lost is named."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from kernel.secrets import new_sealing_key
from providers.models import Provider
from tenants.configuration import ConfigurationVersion

pytestmark = pytest.mark.django_db


def provider(slug: str, credential: str) -> Provider:
    made = Provider(slug=slug, kind="mock")
    made.set_credential(credential)
    made.save()
    return made


def run() -> str:
    out = StringIO()
    call_command("rotate_sealing_key", stdout=out)
    return out.getvalue()


def test_credentials_are_sealed_with_the_first_key(settings: Any) -> None:
    old, new = new_sealing_key(), new_sealing_key()
    settings.GATEWAY_SEALING_KEYS = [old]
    provider("a", "secret-a")
    provider("b", "secret-b")
    provider("none", "")
    version = ConfigurationVersion.current()
    settings.GATEWAY_SEALING_KEYS = [new, old]
    assert run() == "2 credentials sealed with the first key\n"
    settings.GATEWAY_SEALING_KEYS = [new]
    assert [one.credential() for one in Provider.objects.order_by("slug")] == ["secret-a", "secret-b", ""]
    assert ConfigurationVersion.current() > version


def test_what_no_key_opens_is_named_and_the_rest_is_sealed(settings: Any) -> None:
    lost, old, new = (new_sealing_key() for _ in range(3))
    settings.GATEWAY_SEALING_KEYS = [lost]
    provider("lost", "x")
    settings.GATEWAY_SEALING_KEYS = [old]
    provider("kept", "secret")
    settings.GATEWAY_SEALING_KEYS = [new, old]
    with pytest.raises(CommandError, match=r"credentials of: lost$"):
        run()
    settings.GATEWAY_SEALING_KEYS = [new]
    assert Provider.objects.get(slug="kept").credential() == "secret"
