"""What the log leaves out: words of others about something that was done on purpose."""

import logging

# Said of a response whose end is missing. The gateway leaves it out to cut a stream that broke (`messages.StreamCut`),
# and says so itself, with the request id, in the line of the call.
CUT_ON_PURPOSE = "ASGI callable returned without completing response."


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether a line of the server's says something that nobody else says better."""
    return record.msg != CUT_ON_PURPOSE
