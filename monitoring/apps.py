"""Django's entry for this app."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Names the app in the admin."""

    name = "monitoring"
    verbose_name = "Monitoring"
    default_auto_field = "django.db.models.BigAutoField"
