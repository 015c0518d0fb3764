"""Identifiers that sort by time: 48 bits of milliseconds, then 80 random bits (the order of UUID version 7)."""

import os
import random
import re
import time

_random = random.Random(os.urandom(32))  # noqa: S311 - ids are names, not secrets
os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(32)))
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,127}\Z")


def new_id(prefix: str) -> str:
    """Return a new identifier such as `req_0199…`: the prefix, an underscore, 32 hexadecimal digits."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{_random.getrandbits(80):020x}"


def is_sane_request_id(value: str) -> bool:
    """Tell whether a caller's request id may be kept: 1 to 128 plain characters."""
    return _SANE_REQUEST_ID.match(value) is not None
