"""Who may read the management API: staff who are signed in, or a virtual key with the scope `management`.

A key travels as the official clients send it, in `Authorization: Bearer` or `x-api-key`. A request of a key carries
its `tenants.keys.Caller` in `request.auth`; a request of staff has none there.
"""

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from kernel import clock
from tenants.keys import Caller, digest_of, find
from tenants.models import Scope

__all__ = ["KeyAuthentication", "StaffOrManagementKey", "tenant_scope"]


class KeyAuthentication(BaseAuthentication):
    """Knows a request by its virtual key. A key that is sent and not good fails, whatever session comes with it."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller] | None:
        secret = secret_in(request)
        return None if secret is None else (AnonymousUser(), verify(secret))

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="management"'


class StaffOrManagementKey(BasePermission):
    """Lets staff in, and keys with the scope `management`."""

    message = "This needs a staff session or a key with the scope management."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, Caller):
            return Scope.MANAGEMENT.value in request.auth.scopes
        return bool(request.user and request.user.is_active and request.user.is_staff)


def secret_in(request: Request) -> str | None:
    """Return the virtual key that a request carries; None where it carries none."""
    kind, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return request.headers.get("x-api-key")


def verify(secret: str) -> Caller:
    """Return the live caller behind a virtual key.

    Raises AuthenticationFailed for a key that isn't live, PermissionDenied where its tenant is suspended.
    """
    caller = find(digest_of(secret)) if secret else None
    if caller is None or caller.revoked or _is_expired(caller):
        raise AuthenticationFailed("This API key is unknown, revoked or expired.", code="invalid_api_key")
    if not caller.tenant_active:
        raise PermissionDenied("The tenant of this API key is suspended.", code="tenant_suspended")
    return caller


def _is_expired(caller: Caller) -> bool:
    return caller.expires_at_s is not None and caller.expires_at_s <= clock.now().timestamp()


def tenant_scope(request: Request) -> int | None:
    """Return the tenant that a request may see alone; None where it may see every tenant."""
    return request.auth.tenant_id if isinstance(request.auth, Caller) else None
