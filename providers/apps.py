"""Django's entry for this app."""

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    """Names the app in the admin."""

    name = "providers"
    verbose_name = "Providers and prices"
    default_auto_field = "django.db.models.BigAutoField"
