"""How rows are found by the beginning of an id, so that an index serves it in every database."""

from django.db import connections
from django.db.models import Q

FOUND_MAX = 500


def begins(name: str, term: str) -> Q:
    """Return a prefix match that an index serves: PostgreSQL has one for patterns, SQLite only for ranges."""
    if connections["default"].vendor == "postgresql":
        return Q(**{f"{name}__startswith": term})
    return Q(**{f"{name}__gte": term, f"{name}__lt": term[:-1] + chr(ord(term[-1]) + 1)})
