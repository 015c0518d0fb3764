"""A stream that was cut on purpose is no error of the server's; all else it says is kept."""

import inspect
import logging

from uvicorn.protocols.http import httptools_impl

from gateway_project.log_filters import CUT_ON_PURPOSE, is_news


def test_what_is_left_out_is_what_the_server_says_of_a_cut_stream() -> None:
    assert CUT_ON_PURPOSE in inspect.getsource(httptools_impl)
    assert not is_news(logging.makeLogRecord({"msg": CUT_ON_PURPOSE}))
    assert is_news(logging.makeLogRecord({"msg": "Exception in ASGI application\n"}))
