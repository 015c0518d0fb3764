"""What tests read off the admin's list of usage."""

from django.test import Client
from django.urls import reverse

LIST = "admin:usage_usagerecord_changelist"


def shown(client: Client, **query: object) -> list[str]:
    """Return the attempts on the page."""
    return [row.pk for row in client.get(reverse(LIST), query).context["cl"].result_list]


def cards(client: Client, **query: object) -> dict[str, str]:
    """Return the sums above the list, by their titles."""
    return {title: amount for title, amount, _ in client.get(reverse(LIST), query).context["cl"].totals.cards}
