"""The portal's URLs."""

from django.urls import path

from portal import views

app_name = "portal"
urlpatterns = [path("playground", views.playground, name="playground")]
