"""Every URL. The data plane's are served by its own handler, and stand here too so that they can be reversed."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("v0/management/", include("usage.rest.usage")),
    path("v0/management/", include("usage.rest.rules")),
    path("v0/management/", include("usage.rest.ledger")),
    path("v0/management/", include("routing.rest")),
    path("", include("django_prometheus.urls")),
    path("", include("portal.urls")),
    path("", include("gateway.urls")),
]
