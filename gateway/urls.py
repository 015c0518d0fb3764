"""The data plane's URLs."""

from django.urls import path

from gateway.views import api

urlpatterns = [path("", api.urls)]
