"""Django's entry for this app."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Names the app in the admin."""

    name = "portal"
    verbose_name = "Portal"
    default_auto_field = "django.db.models.BigAutoField"
