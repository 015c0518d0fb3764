"""What of a request Converse has no words for, collected while the request is written, by the client's own names."""

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect
from providers.dialects.wording import spell


class Losses:
    """Two lists that grow: `unsupported` would have changed the answer, `ignored` would not."""

    __slots__ = ("_dialect", "ignored", "unsupported")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.unsupported: dict[str, None] = {}
        self.ignored: dict[str, None] = {}

    def miss(self, field: str) -> None:
        """Note a field that would have changed the answer."""
        self.unsupported[spell(field, self._dialect)] = None

    def overlook(self, field: str) -> None:
        """Note a field that would not."""
        self.ignored[spell(field, self._dialect)] = None


def refuse(message: str, param: str, *, code: str = "unsupported_content") -> InvalidRequest:
    """Return the error for content that can't be said, and that no policy may drop."""
    return InvalidRequest(message, code=code, param=param)
