"""Django's entry for the project's own commands."""

from django.apps import AppConfig


class GatewayProjectConfig(AppConfig):
    """Makes the project's management commands known."""

    name = "gateway_project"
    verbose_name = "LLM Gateway"
