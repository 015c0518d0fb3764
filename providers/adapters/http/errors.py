"""What can go wrong between this process and an upstream, in words a retry loop can read.

    Exception
    ├── ValueError
    │   └── InvalidRequest        the caller's request cannot be written (line break in a header …)
    └── UpstreamIOError           .sent: may the upstream have seen the request?
        ├── ConnectFailed         name not found, refused, unreachable, TLS refused
        ├── ConnectTimeout        no connection within `connect_s`
        ├── FirstByteTimeout      no response head within `first_byte_s`
        ├── IdleTimeout           no body byte for `idle_s`
        ├── TotalTimeout          not finished within `total_s`
        ├── BrokenResponse        cut, reset, or not HTTP
        │   └── StaleConnection   a kept connection had died; the client retries it once and rarely lets it out
        └── BodyTooLarge          more than the caller allowed

Messages name host and port, never headers or bodies: they end up in logs.
"""


class UpstreamIOError(Exception):
    """The exchange with an upstream failed below the level of HTTP statuses.

    `sent` is False only when the upstream surely saw nothing of the request, so that trying elsewhere is free.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectFailed(UpstreamIOError):
    """No connection could be made: name, route, port or TLS."""


class ConnectTimeout(UpstreamIOError):
    """No connection, or no free place in the pool, within `connect_s`."""


class FirstByteTimeout(UpstreamIOError):
    """The request was written but no complete response head came within `first_byte_s`."""


class IdleTimeout(UpstreamIOError):
    """The body stopped coming for `idle_s`."""


class TotalTimeout(UpstreamIOError):
    """The whole exchange did not end within `total_s`."""


class BrokenResponse(UpstreamIOError):
    """The upstream's answer was cut, reset, or is not valid HTTP."""


class StaleConnection(BrokenResponse):
    """A kept connection was closed by the peer before it answered a single byte."""


class BodyTooLarge(UpstreamIOError):
    """The decoded body is longer than the caller allowed."""


class InvalidRequest(ValueError):
    """The request cannot be put on the wire as it stands."""
