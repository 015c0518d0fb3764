"""Django's entry for this app."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Names the app in the admin."""

    name = "tenants"
    verbose_name = "Tenants and keys"
    default_auto_field = "django.db.models.BigAutoField"
