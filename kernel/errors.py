"""Every error a client can see.

GatewayError
├── InvalidRequest                400  the caller must change the request
│   ├── BodyTooLarge              413
│   ├── IdempotencyConflict       422  the idempotency key belongs to another request
│   ├── IdempotencyInProgress     409  the first answer can't be given: not yet, or too large to be kept
│   └── RouteUnknown              404  no such model
├── AuthenticationFailed          401  no key, or not a live one
├── PermissionRefused             403  a live key that may not do this
├── NotFound                      404  no such path or record
├── MethodNotAllowed              405
├── RateLimited                   429  too many calls or tokens; later it may be served
├── BudgetExceeded                429  it could cost more than is left
├── UpstreamFailed                502  a provider did not answer properly
│   ├── UpstreamUnreachable       502  no connection
│   ├── UpstreamTimeout           504  connected, too slow
│   ├── UpstreamBroken            502  an answer that is none: cut, empty, not JSON
│   ├── UpstreamBusy              429  as many calls are under way there as the gateway may make
│   └── UpstreamRefused           any  an error answer of the provider's own
├── Unavailable                   503  the gateway itself can't serve now
└── InternalError                 500  a fault of the gateway

`code` is stable and part of the interface; `message` is for people. `retryable` says whether the same call may
succeed on another try or another target.
"""


class GatewayError(Exception):
    """An error with a status, a stable code and a message that may be shown to the caller."""

    status = 500
    type = "server_error"
    code = "internal_error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.headers: list[tuple[bytes, bytes]] = []  # what the answer should carry besides
        if code is not None:
            self.code = code


class InvalidRequest(GatewayError):
    """The request can't be served as it stands."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class BodyTooLarge(InvalidRequest):
    """The request body is over the limit."""

    status = 413
    code = "request_too_large"


class IdempotencyConflict(InvalidRequest):
    """The idempotency key was used for another request."""

    status = 422
    code = "idempotency_key_reused"


class IdempotencyInProgress(InvalidRequest):
    """The request was made before, and its first answer can't be given: not yet, or not again."""

    status = 409
    code = "idempotency_in_progress"


class RouteUnknown(InvalidRequest):
    """The model asked for is not the name of a route."""

    status = 404
    code = "model_not_found"


class AuthenticationFailed(GatewayError):
    """No key, or not a live one."""

    status = 401
    type = "invalid_request_error"
    code = "invalid_api_key"


class PermissionRefused(GatewayError):
    """A live key that may not do this."""

    status = 403
    type = "invalid_request_error"
    code = "permission_denied"


class NotFound(GatewayError):
    """No such path or record."""

    status = 404
    type = "invalid_request_error"
    code = "not_found"


class MethodNotAllowed(GatewayError):
    """The path is right and the method is not."""

    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"


class RateLimited(GatewayError):
    """A limit of requests, tokens or calls at once is reached; `type` says of which."""

    status = 429
    type = "requests"
    code = "rate_limit_exceeded"
    retryable = True


class BudgetExceeded(GatewayError):
    """What the call could cost is more than a budget has left; trying again doesn't help."""

    status = 429
    type = "insufficient_quota"
    code = "budget_exceeded"


class UpstreamFailed(GatewayError):
    """A provider did not answer properly."""

    status = 502
    type = "upstream_error"
    code = "upstream_error"
    retryable = True


class UpstreamUnreachable(UpstreamFailed):
    """No connection to the provider."""

    code = "upstream_unreachable"


class UpstreamTimeout(UpstreamFailed):
    """The provider was too slow."""

    status = 504
    code = "upstream_timeout"


class UpstreamBroken(UpstreamFailed):
    """The provider's answer is none: cut, empty, not JSON, not what was asked for."""

    code = "upstream_invalid_response"


class UpstreamBusy(UpstreamFailed):
    """The gateway makes as many calls to the provider as it may; nothing was sent."""

    status = 429
    code = "provider_busy"


class UpstreamRefused(UpstreamFailed):
    """An error answer of the provider's own; `body` is what it said where that may be shown as it is."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        retryable: bool,
        body: bytes | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, code=code, retry_after_s=retry_after_s)
        self.status = status
        self.retryable = retryable
        self.body = body


class Unavailable(GatewayError):
    """The gateway itself can't serve now."""

    status = 503
    code = "service_unavailable"
    retryable = True


class InternalError(GatewayError):
    """A fault of the gateway; the details are in its log under the request id."""
