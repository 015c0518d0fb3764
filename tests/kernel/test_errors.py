"""The tree of errors is what its docstring draws."""

import re

from kernel import errors


def _subclasses(base: type[errors.GatewayError]) -> list[type[errors.GatewayError]]:
    return [base, *(deeper for sub in base.__subclasses__() for deeper in _subclasses(sub))]


def test_every_error_is_drawn_with_its_status() -> None:
    drawn = dict(re.findall(r"── (\w+)\s+(\d{3}|any)", errors.__doc__ or ""))
    classes = {c.__name__: c for c in _subclasses(errors.GatewayError) if c.__module__ == errors.__name__}
    del classes["GatewayError"]
    assert drawn.keys() == classes.keys()
    for name, status in drawn.items():
        assert status in (str(classes[name].status), "any"), name


def test_a_code_given_replaces_the_usual_one() -> None:
    assert errors.AuthenticationFailed("x").code == "invalid_api_key"
    assert errors.AuthenticationFailed("x", code="expired_api_key").code == "expired_api_key"
    assert errors.AuthenticationFailed("x").code == "invalid_api_key"
