"""Carrying another vendor's signature through a client of this dialect.

Thinking and tool calls are signed, and the signature has to come back to the vendor who made it. The dialect's place is
`thoughtSignature`: base64 that clients keep as bytes. Another vendor's travels there behind a few letters that say
whose it is. Clients may write base64 in either alphabet: google-genai 3.4 answers with the one for URLs.
"""

import binascii

import msgspec

from providers.dialects.canonical import Dialect

# What stands in for a signature in a history that another model began; Google names it for that purpose
# (ai.google.dev/gemini-api/docs/thought-signatures, November 2026 [mem]).
STAND_IN = "skip_thought_signature_validator"

_MARK = b"llm-gateway/"
_MARKED = binascii.b2a_base64(_MARK, newline=False).decode()  # twelve bytes: the letters don't depend on what follows


class Signature(msgspec.Struct, frozen=True):
    """A signature and whose it is; `redacted` is a thought that its vendor keeps to itself."""

    signature: str = ""
    redacted: str = ""
    dialect: Dialect | None = None


def wrap(signed: Signature) -> str:
    """Return the `thoughtSignature` for a signature, this dialect's own as it is; empty where there is none."""
    if not signed.signature and not signed.redacted:
        return ""
    if signed.dialect in (None, Dialect.GEMINI):
        return signed.signature
    kind, text = (b"r", signed.redacted) if signed.redacted else (b"s", signed.signature)
    marked = b"/".join((_MARK[:-1], signed.dialect.value.encode(), kind, text.encode()))
    return binascii.b2a_base64(marked, newline=False).decode()


def unwrap(text: str) -> Signature:
    """Return the signature that a `thoughtSignature` holds; one that isn't marked is this dialect's own.

    The stand-in is nobody's; it is written anew where it is needed.
    """
    own = Signature(signature=text, dialect=Dialect.GEMINI if text else None)
    if text == STAND_IN:
        return Signature()
    if not text.startswith(_MARKED):
        return own
    try:
        plain = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)).decode()
        _, dialect, kind, inner = plain.split("/", 3)
        whose = Dialect(dialect)
    except ValueError:
        return own
    return Signature(redacted=inner, dialect=whose) if kind == "r" else Signature(signature=inner, dialect=whose)
