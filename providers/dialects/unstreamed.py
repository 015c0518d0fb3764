"""Operations whose answers come whole, in every dialect or in one: a stream of theirs is refused, in words."""

from typing import NoReturn

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Head
from providers.dialects.codec import Asked, CostOf


def no_encoder(asked: Asked, cost_of: CostOf) -> NoReturn:
    """Raise InvalidRequest: there is no stream to write."""
    raise _refusal()


def no_decoder() -> NoReturn:
    """Raise InvalidRequest: there is no stream to read."""
    raise _refusal()


def no_reader(head: Head, cost_of: CostOf) -> NoReturn:
    """Raise InvalidRequest: there is no stream to pass on."""
    raise _refusal()


def _refusal() -> InvalidRequest:
    return InvalidRequest("This answer can't be streamed.", code="unsupported_parameter", param="stream")
