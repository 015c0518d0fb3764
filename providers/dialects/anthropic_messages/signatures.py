"""What another vendor signed, kept in the places that Anthropic's clients send back without reading.

A client of this dialect returns thinking blocks as they came. So a foreign signature stands in `signature` behind the
name of the dialect it is from, and the signature of a tool call in a `redacted_thinking` block before the call. Without
the name a foreign signature would come back as if it were Anthropic's, which would refuse it. Anthropic's own are
base64 and hold no colon.
"""

from providers.dialects.canonical import Dialect

_TOOL = "tool:"
_NAMES = frozenset(dialect.value for dialect in Dialect)


def seal(signature: str, dialect: Dialect | None, identity: str = "") -> str:
    """Return the text that stands for a signature in this dialect; the own ones stand as they are."""
    if not signature or dialect in (None, Dialect.ANTHROPIC):
        return signature
    return f"{dialect.value}:{identity}:{signature}"


def unseal(text: str) -> tuple[str, Dialect | None, str]:
    """Return the signature, whose it is and its vendor's id for it; nobody's where there is none."""
    name, colon, rest = text.partition(":")
    if not colon or name not in _NAMES:
        return text, Dialect.ANTHROPIC if text else None, ""
    identity, _, signature = rest.partition(":")
    return signature, Dialect(name), identity


def seal_tool(signature: str, dialect: Dialect | None) -> str:
    """Return the data of the block that carries a tool call's signature."""
    return _TOOL + seal(signature, dialect)


def unseal_tool(data: str) -> tuple[str, Dialect | None] | None:
    """Return the signature of the tool call that follows; None where the data is a thought."""
    if not data.startswith(_TOOL):
        return None
    signature, dialect, _ = unseal(data.removeprefix(_TOOL))
    return signature, dialect
