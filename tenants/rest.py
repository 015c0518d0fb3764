"""What every view of the management API is: who may read it, and errors in the one envelope of the gateway.

{"error": {"message": …, "type": …, "param": …, "code": …, "request_id": …}}
"""

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from kernel.errors import GatewayError, InternalError, InvalidRequest, NotFound, PermissionRefused
from kernel.ids import is_sane_request_id, new_id
from tenants.authentication import KeyAuthentication, StaffOrManagementKey

__all__ = ["ManagementView", "answer_error", "refuse_unknown_parameters"]

logger = logging.getLogger(__name__)


class ManagementView(APIView):
    """The base of every view of the management API."""

    authentication_classes = (KeyAuthentication, SessionAuthentication)
    permission_classes = (StaffOrManagementKey,)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return answer_error


def refuse_unknown_parameters(request: Request, *, known: frozenset[str]) -> None:
    """Raise InvalidRequest for a query parameter that would have no effect: most often it is a misspelled one."""
    for name in request.query_params:
        if name not in known:
            raise InvalidRequest(f"There is no parameter {name!r}.", param=name, code="unknown_parameter")


def answer_error(error: Exception, context: dict[str, Any]) -> Response:
    """Turn whatever a view raised into an answer; a fault of ours goes into the log under the request id."""
    set_rollback()
    request_id = _request_id(context.get("request"))
    told = _told(error)
    if isinstance(told, InternalError):
        logger.error("request %s failed", request_id, exc_info=error)
    headers = {"X-Request-ID": request_id}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    body = {
        "message": told.message,
        "type": told.type,
        "param": told.param,
        "code": told.code,
        "request_id": request_id,
    }
    return Response({"error": body}, status=told.status, headers=headers)


def _told(error: Exception) -> GatewayError:
    """Return what the caller is told about an error."""
    if isinstance(error, GatewayError):
        return error
    if isinstance(error, Http404):
        return NotFound("There is nothing here.")
    if isinstance(error, PermissionDenied):
        return PermissionRefused("This is not allowed.")
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return InternalError("The gateway failed; its log has the details under the request id.")


def _of_framework(error: exceptions.APIException) -> GatewayError:
    code = error.get_codes()
    told = GatewayError(str(error.detail), code=code if isinstance(code, str) else None)
    told.status = error.status_code
    told.type = "invalid_request_error" if error.status_code < 500 else "server_error"
    return told


def _request_id(request: Request | None) -> str:
    given = request.headers.get("X-Request-ID", "") if request else ""
    return given if is_sane_request_id(given) else new_id("req")
