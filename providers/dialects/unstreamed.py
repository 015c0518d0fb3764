"""Operations whose answers come whole, in every dialect or in this one: a stream of theirs is refused, in words."""

from kernel.errors import InvalidRequest
from providers.dialects.codec import Asked, CostOf, StreamDecoder, StreamEncoder


class UnstreamedFront:
    """The front of such an operation has no streams to write."""

    def encoder(self, asked: Asked, cost_of: CostOf) -> StreamEncoder:
        """Raise InvalidRequest: there is none."""
        raise _refusal()


class UnstreamedBack:
    """The back of such an operation has no streams to read."""

    stream_type = b""

    def decoder(self) -> StreamDecoder:
        """Raise InvalidRequest: there is none."""
        raise _refusal()


def _refusal() -> InvalidRequest:
    return InvalidRequest("This answer can't be streamed.", code="unsupported_parameter", param="stream")
