"""Django's entry for this app."""

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    """Names the app in the admin."""

    name = "routing"
    verbose_name = "Routing"
    default_auto_field = "django.db.models.BigAutoField"
