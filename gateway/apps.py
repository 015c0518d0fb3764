"""Django's entry for this app."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """Names the app in the admin."""

    name = "gateway"
    verbose_name = "Gateway"
    default_auto_field = "django.db.models.BigAutoField"
