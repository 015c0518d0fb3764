"""Seal every provider's credential with the first of GATEWAY_SEALING_KEYS: `manage.py rotate_sealing_key`.

Put the new key first and keep the old one behind it, run this, then drop the old one.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from kernel.secrets import SealBroken
from providers.models import Provider, sealer


class Command(BaseCommand):
    """Reseals what can be opened, and fails naming the providers whose credentials no key opens."""

    help = "Seal every provider's credential anew with the first sealing key."

    def handle(self, *_args: Any, **_options: Any) -> None:
        resealed, broken = reseal_credentials()
        self.stdout.write(f"{resealed} credentials sealed with the first key")
        if broken:
            raise CommandError(f"no sealing key opens the credentials of: {', '.join(broken)}")


def reseal_credentials() -> tuple[int, list[str]]:
    """Seal all credentials anew; return how many, and the slugs of the providers that can't be opened."""
    resealed, broken = 0, []
    current = sealer()
    with transaction.atomic():
        for provider in Provider.objects.select_for_update().exclude(sealed_credential="").order_by("slug"):
            try:
                sealed = current.reseal(provider.sealed_credential)
            except SealBroken:
                broken.append(provider.slug)
                continue
            Provider.objects.filter(pk=provider.pk).update(sealed_credential=sealed)
            resealed += 1
    return resealed, broken
