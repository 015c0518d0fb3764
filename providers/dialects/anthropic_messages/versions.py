"""The versions of the API, which clients name in `anthropic-version`, and what the newer one no longer takes.

Version 2026-10-21 answers 400 for sampling fields, for documents in the assistant's messages and for citations on a
user's text (Anthropic's version history, October 2026). Clouds want the version inside of the body and have the model
in the path (`_prepare_options` of anthropic-python 2.11, `lib/vertex` and `lib/bedrock`).
"""

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.complaints import decode

FIRST = "2023-06-01"
STRICT = "2026-10-21"
_KNOWN = (FIRST, STRICT)
_SAMPLING = ("temperature", "top_p", "top_k")
_SUSPECTS = (b'"temperature"', b'"top_p"', b'"top_k"', b'"document"', b'"citations"')
_ABSENT = msgspec.Raw(b"")


class BodyVersion(msgspec.Struct, frozen=True):
    """How a body is written for a server. `declared` is what stands in it as `anthropic_version`, empty where none."""

    strict: bool = False
    declared: str = ""
    names_model: bool = True
    names_stream: bool = True


class _Block(msgspec.Struct):
    type: str = ""
    citations: msgspec.Raw = _ABSENT


class _Message(msgspec.Struct):
    role: str = ""
    content: str | list[_Block] | None = None


class _Body(msgspec.Struct):
    temperature: msgspec.Raw = _ABSENT
    top_p: msgspec.Raw = _ABSENT
    top_k: msgspec.Raw = _ABSENT
    messages: list[_Message] = []


_body = msgspec.json.Decoder(_Body)


def require_version(version: bytes | None, body: bytes) -> str:
    """Return the version that a request is of, 2023-06-01 where its header is missing.

    Raises InvalidRequest for a version that nobody knows, and for what the request's version doesn't take.
    """
    name = FIRST if version is None else version.decode("latin-1").strip()
    if name not in _KNOWN:
        raise InvalidRequest(
            f"anthropic-version: {name!r} is not a valid version; send one of {', '.join(_KNOWN)}",
            code="invalid_version",
            param="anthropic-version",
        )
    if name == STRICT and any(suspect in body for suspect in _SUSPECTS):
        _require_strict(decode(_body, body))
    return name


def body_version(api_version: str) -> BodyVersion:
    """Return how a body is written for an upstream's version; `vertex-…` and `bedrock-…` are the clouds' own."""
    cloud, _, dated = api_version.partition("-")
    if cloud not in ("vertex", "bedrock"):
        return BodyVersion(strict=api_version == STRICT)
    return BodyVersion(
        strict=dated == STRICT,
        declared=STRICT if dated == STRICT else api_version,
        names_model=False,
        names_stream=cloud == "vertex",
    )


def _require_strict(body: _Body) -> None:
    for name in _SAMPLING:
        if _is_said(getattr(body, name)):
            raise _not_taken(name, "sampling parameters are not supported")
    for number, message in enumerate(body.messages):
        blocks = message.content if isinstance(message.content, list) else []
        for position, block in enumerate(blocks):
            _require_strict_block(message.role, block, f"messages[{number}].content[{position}]")


def _require_strict_block(role: str, block: _Block, at: str) -> None:
    if role == "assistant" and block.type == "document":
        raise _not_taken(at, "document blocks are not supported in assistant messages")
    if role == "user" and block.type == "text" and _is_said(block.citations):
        raise _not_taken(f"{at}.citations", "citations are not supported on user text blocks")


def _is_said(value: msgspec.Raw) -> bool:
    return value is not _ABSENT and bytes(value) not in (b"null", b"[]")


def _not_taken(param: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"{param}: {why} in version {STRICT}", code="invalid_value", param=param)
