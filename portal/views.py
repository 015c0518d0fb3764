"""Pages for people who use the gateway rather than run it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

SOCKET_PATH = "/v1/gateway/ws"


@require_safe
def playground(request: HttpRequest) -> HttpResponse:
    """Show the page to chat with a model; it knows nothing of the visitor, whose key goes over the socket only."""
    response = render(request, "portal/playground.html", {"page": "playground", "socket_path": SOCKET_PATH})
    response["Content-Security-Policy"] = _content_policy(request)
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def _content_policy(request: HttpRequest) -> str:
    """Return a policy of own files only; not every browser counts sockets to the same host as 'self'."""
    host = request.get_host()
    return (
        f"default-src 'self'; connect-src 'self' ws://{host} wss://{host}; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
