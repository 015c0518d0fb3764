"""Where requests go: the data plane's paths to its own handler, sockets to Channels, the rest to ordinary Django."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")

from django.core.asgi import get_asgi_application

_control_plane = get_asgi_application()  # before anything imports a model

from gateway_project.application import build_application  # noqa: E402

application = build_application(_control_plane)
