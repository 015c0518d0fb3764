"""Django's entry for this app."""

from django.apps import AppConfig


class UsageConfig(AppConfig):
    """Names the app in the admin."""

    name = "usage"
    verbose_name = "Usage and cost"
    default_auto_field = "django.db.models.BigAutoField"
