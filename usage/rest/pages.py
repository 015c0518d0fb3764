"""What the lists of the management API read from a query: sizes, numbers and moments."""

from datetime import UTC, datetime

from rest_framework.request import Request

from kernel.errors import InvalidRequest

SIZE_MAX = 500
_USUAL_SIZE = 100
_LARGEST = 2**63 - 1


def read_whole(request: Request, param: str, *, usual: int, most: int = _LARGEST) -> int:
    """Return a whole number of the query. Raises InvalidRequest naming the parameter."""
    text = request.query_params.get(param)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= most):
        raise InvalidRequest(f"{param} is a whole number up to {most}.", param=param)
    return int(text)


def read_page_size(request: Request) -> int:
    """Return how many rows a page may have."""
    return max(1, read_whole(request, "limit", usual=_USUAL_SIZE, most=SIZE_MAX))


def read_moment(text: object, param: str) -> datetime:
    """Return an instant of ISO 8601, of UTC without an offset. Raises InvalidRequest naming the parameter.

    The + of an offset may have come as the space that an unescaped + means in a query.
    """
    try:
        found = datetime.fromisoformat(str(text).strip().replace(" ", "+"))
        moment = found if found.tzinfo else found.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"{text!r} is not an ISO 8601 day or instant.", param=param) from error
