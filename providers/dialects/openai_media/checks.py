"""What is checked alike in requests of every kind; fields of a form come as texts, those of JSON as what they are."""

from decimal import Decimal

from kernel.errors import InvalidRequest
from providers.dialects.openai_chat.request import read_max_cost

FormNumber = int | str | None
FormFlag = bool | str | None
COUNT_MAX = 100  # more than any vendor makes at once


def require(name: str, value: str) -> str:
    """Return a text that must not be empty. Raises InvalidRequest."""
    if not value:
        message = f"you must provide a {name} parameter"
        raise InvalidRequest(message, code="missing_required_parameter", param=name)
    return value


def read_count(name: str, value: FormNumber, *, usual: int = 1, least: int = 1) -> int:
    """Return a whole number of a field, `usual` where it is left out. Raises InvalidRequest."""
    if value is None or value == "":
        return usual
    try:
        count = int(value)
    except ValueError as error:
        raise InvalidRequest(f"Invalid type for '{name}': a whole number", code="invalid_type", param=name) from error
    if not least <= count <= COUNT_MAX:
        message = f"{name} must be from {least} to {COUNT_MAX}, got {count}"
        raise InvalidRequest(message, code="invalid_value", param=name)
    return count


def read_flag(name: str, value: FormFlag) -> bool:
    """Return a yes or no of a field, no where it is left out. Raises InvalidRequest."""
    if isinstance(value, str):
        if value.lower() not in ("true", "false", "1", "0", ""):
            raise InvalidRequest(f"Invalid type for '{name}': true or false", code="invalid_type", param=name)
        return value.lower() in ("true", "1")
    return bool(value)


def read_most(usd: Decimal | None) -> int | None:
    """Return the most that a call may cost in nano-dollars. Raises InvalidRequest."""
    return None if usd is None else read_max_cost(usd)
