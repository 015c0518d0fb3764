import pytest

from providers.adapters.http import errors


def _tree_in_docstring() -> set[str]:
    words = {word.strip("│├└─ ") for line in (errors.__doc__ or "").splitlines() for word in line.split()}
    return {word for word in words if hasattr(errors, word)}


def test_the_drawn_tree_names_every_error() -> None:
    defined = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert _tree_in_docstring() == defined


@pytest.mark.parametrize("sent", [True, False])
def test_an_error_tells_whether_the_request_was_sent(sent: bool) -> None:
    error = errors.BrokenResponse("cut", sent=sent)
    assert error.sent is sent
    assert str(error) == "cut"
    assert isinstance(error, errors.UpstreamIOError)


def test_a_stale_connection_is_a_broken_response_to_whom_it_reaches() -> None:
    assert issubclass(errors.StaleConnection, errors.BrokenResponse)


def test_an_invalid_request_is_the_callers_fault() -> None:
    assert issubclass(errors.InvalidRequest, ValueError)
    assert not issubclass(errors.InvalidRequest, errors.UpstreamIOError)
