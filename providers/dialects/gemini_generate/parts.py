"""The parts of a content, read and written alike in requests and answers.

A signature on anything but a thought or a call becomes a thought of its own that follows; Gemini's streams put it into
an empty text part at the end themselves.
"""

from collections.abc import Callable

import msgspec

from providers.dialects.canonical import Dialect
from providers.dialects.conversation import Opaque, Part, Text, Thinking, ToolCall
from providers.dialects.gemini_generate import wire
from providers.dialects.gemini_generate.media import read_media
from providers.dialects.gemini_generate.signatures import Signature, unwrap, wrap

_BESIDE = ("thought", "thoughtSignature", "partMetadata", "mediaResolution")  # never what a part is


def read_part(part: wire.Part, *, raw: Callable[[], msgspec.Raw], new_id: Callable[[], str]) -> list[Part]:
    """Return what a part says; `raw` gives its JSON where it has no place, `new_id` an id for a call without."""
    if part.function_call is not None:
        return [read_call(part, part.function_call, new_id=new_id)]
    if not part.is_known or part.function_response is not None:
        return [read_opaque(raw())]
    signed = unwrap(part.thought_signature or "")
    if part.thought and part.text is not None:
        return [_thought(part.text, signed)]
    said: Part | None = read_media(part) or (Text(part.text) if part.text else None)
    parts = [] if said is None else [said]
    if signed.signature or signed.redacted:
        parts.append(_thought("", signed))
    return parts


def read_call(part: wire.Part, call: wire.FunctionCall, *, new_id: Callable[[], str]) -> ToolCall:
    """Return a call of a function, with an id where it came without one."""
    signed = unwrap(part.thought_signature or "")
    return ToolCall(
        id=call.id or new_id(),
        name=call.name or "",
        arguments=bytes(call.args).decode() if wire.is_given(call.args) else "{}",
        signature=signed.signature,
        dialect=signed.dialect,
    )


def read_opaque(raw: msgspec.Raw) -> Opaque:
    """Return a part that only this dialect has, under the name of the member that says what it is."""
    names = [name for name in wire.OBJECT_DECODER.decode(raw) if name not in _BESIDE]
    return Opaque(Dialect.GEMINI, names[0] if names else "", msgspec.Raw(bytes(raw)))


def write_thought(thought: Thinking) -> wire.Part | None:
    """Return the part of a thought; None where it says nothing."""
    signature = wrap(Signature(thought.signature, thought.redacted, thought.dialect)) or None
    if not thought.text and signature is None:
        return None
    return wire.Part(text=thought.text, thought=True if thought.text else None, thought_signature=signature)


def write_call(call: ToolCall, arguments: msgspec.Raw) -> wire.Part:
    """Return the part of a call whose arguments are known to be a JSON object."""
    return wire.Part(
        function_call=wire.FunctionCall(id=call.id or None, name=call.name, args=arguments),
        thought_signature=wrap(Signature(call.signature, dialect=call.dialect)) or None,
    )


def read_arguments(text: str) -> msgspec.Raw | None:
    """Return arguments as a JSON object, an empty one for no text; None where the text is none."""
    raw = text.strip().encode(errors="surrogatepass") or b"{}"
    try:
        wire.OBJECT_DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.Raw(raw)


def _thought(text: str, signed: Signature) -> Thinking:
    return Thinking(text=text, signature=signed.signature, redacted=signed.redacted, dialect=signed.dialect)
