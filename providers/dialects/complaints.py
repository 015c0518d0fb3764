"""What is wrong with a request's body, said in the client's own words: which field, and what was expected."""

import re
from typing import TypeVar

import msgspec

from kernel.errors import InvalidRequest

T = TypeVar("T")
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`\Z")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")


def decode(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """Return the decoded body. Raises InvalidRequest that names the field where it is not JSON or has a wrong type."""
    if not body:
        raise InvalidRequest("The request has no body; send a JSON object.", code="invalid_json")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise explain(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"We could not parse the JSON body of your request: {error}", code="invalid_json"
        ) from error
    except RecursionError as error:
        raise InvalidRequest("The JSON body is nested too deeply.", code="invalid_json") from error


def explain(error: msgspec.ValidationError) -> InvalidRequest:
    """Return the error that a client gets for a field of a wrong type, or a missing one."""
    complaint = str(error)
    at = _AT.search(complaint)
    path = at["path"] if at else ""
    text = complaint[: at.start()] if at else complaint
    missing = _MISSING.match(text)
    if missing:
        param = f"{path}.{missing['name']}".lstrip(".")
        message = f"you must provide a {param} parameter"
        return InvalidRequest(message, code="missing_required_parameter", param=param)
    if not path:
        return InvalidRequest(f"The body must be a JSON object: {text}", code="invalid_json")
    return InvalidRequest(f"Invalid type for '{path}': {text}", code="invalid_type", param=path)
