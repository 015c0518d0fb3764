"""JSON with one thing wrong in it."""

import json
from typing import Any

from hypothesis import strategies as st

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, 0, -1, 7.5, 1e300, 10**30, "", "x", "\u0000", "\U0001f600", "data:image/png;base64,%%%", "null"),
        *([], [None], [[]], [{}], ["x"], {}, {"type": "x"}, {"type": None}, {"text": 7}, {"": {}}, [{"type": "text"}]),
        *("auto", "assistant", "tool", "system", {"role": "user"}, "image/png", "https://a/b", "{", '{"a": 1}', "[1]"),
    ]
)


def places_in(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where something stands in a JSON value."""
    found = [at] if at else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, one in inner for place in places_in(one, (*at, key))]


def change(value: Any, at: tuple[Any, ...], to: Any, *, drop: bool) -> Any:
    """Return a copy of a JSON value with another thing at one place, or without what stands there."""
    changed = json.loads(json.dumps(value))
    holder = changed
    for key in at[:-1]:
        holder = holder[key]
    if drop:
        del holder[at[-1]]
    else:
        holder[at[-1]] = to
    return changed


def spoil(value: Any, data: st.DataObject) -> bytes:
    """Return a JSON value with one thing wrong in it, as bytes."""
    at = data.draw(st.sampled_from(places_in(value)))
    return json.dumps(change(value, at, data.draw(ODD), drop=data.draw(st.booleans()))).encode()
