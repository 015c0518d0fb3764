"""Both spellings of a field's name, and a single value where a list belongs: proto JSON accepts them all.

google-genai sends camelCase, people with curl send snake_case, and Google's own examples have `"parts": {"text": …}`.
Only what is known to be a field is renamed: arguments, results and schemas are the client's own JSON.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.complaints import decode
from providers.dialects.gemini_generate.wire import LIST_DECODER, OBJECT_DECODER

T = TypeVar("T")
_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class _Shape:
    """An object's fields in camelCase, and the shapes of those that are objects or lists of such."""

    names: str
    children: Mapping[str, "_Shape"] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()

    @property
    def by_snake(self) -> dict[str, str]:
        return {_snake(name): name for name in (*self.names.split(), *self.children) if _snake(name) != name}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda match: "_" + match[1].lower(), name)


_BLOB = _Shape("mimeType displayName")
_FILE = _Shape("mimeType fileUri displayName")
_RESPONSE = _Shape(
    "willContinue", {"parts": _Shape("", {"inlineData": _BLOB, "fileData": _FILE})}, lists=frozenset({"parts"})
)
_PART = _Shape(
    "thoughtSignature functionCall videoMetadata executableCode codeExecutionResult mediaResolution partMetadata"
    " toolCall toolResponse",
    {"inlineData": _BLOB, "fileData": _FILE, "functionResponse": _RESPONSE},
)
_CONTENT = _Shape("", {"parts": _PART}, lists=frozenset({"parts"}))
_CONFIG = _Shape(
    "topP topK candidateCount maxOutputTokens stopSequences responseLogprobs presencePenalty frequencyPenalty"
    " responseMimeType responseSchema responseJsonSchema responseModalities mediaResolution speechConfig imageConfig"
    " enableEnhancedCivicAnswers",
    {"thinkingConfig": _Shape("includeThoughts thinkingBudget thinkingLevel")},
    lists=frozenset({"stopSequences"}),
)
_TOOL = _Shape(
    "googleSearch googleSearchRetrieval codeExecution urlContext googleMaps computerUse fileSearch",
    {"functionDeclarations": _Shape("parametersJsonSchema responseJsonSchema")},
    lists=frozenset({"functionDeclarations"}),
)
_GENERATE = _Shape(
    "safetySettings cachedContent serviceTier",
    {
        "contents": _CONTENT,
        "systemInstruction": _CONTENT,
        "generationConfig": _CONFIG,
        "tools": _TOOL,
        "toolConfig": _Shape("retrievalConfig", {"functionCallingConfig": _Shape("allowedFunctionNames")}),
    },
    lists=frozenset({"contents", "tools"}),
)
_EMBED = _Shape("taskType outputDimensionality", {"content": _CONTENT})
_BODY = _Shape(
    _GENERATE.names + " " + _EMBED.names,
    {**_GENERATE.children, **_EMBED.children, "generateContentRequest": _GENERATE, "requests": _EMBED},
    lists=_GENERATE.lists,
)


def _all_shapes(shape: _Shape) -> list[_Shape]:
    return [shape, *(inner for child in shape.children.values() for inner in _all_shapes(child))]


_SNAKES = sorted({name for shape in _all_shapes(_BODY) for name in shape.by_snake})
_LISTS = sorted({name for shape in _all_shapes(_BODY) for name in shape.lists})
# Quotes inside of a JSON text are escaped, so that these only ever find a member of an object. Each of the many names
# is looked for only where some name with an underscore stands, which most bodies don't have.
_ANY_SNAKE = re.compile(rb'_[A-Za-z_]*"\s*:')
_SNAKE_NAME = re.compile(rb'"(?:_responseJsonSchema|%s)"\s*:' % "|".join(_SNAKES).encode())
_LONE_VALUE = re.compile(
    rb'"(?=[%s])(?:%s)"\s*:\s*[{"]'
    % ("".join(sorted({name[0] for name in _LISTS})).encode(), "|".join(_LISTS).encode())
)
_ALSO = {"_responseJsonSchema": "responseJsonSchema", "_response_json_schema": "responseJsonSchema"}
_BY_SHAPE = {id(shape): {**_ALSO, **shape.by_snake} for shape in _all_shapes(_BODY)}


def decode_camel(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """Return the decoded body, however its fields are spelled. Raises InvalidRequest that names one as it was sent."""
    return decode_spelled(decoder, body, to_camel(body))


def decode_spelled(decoder: "msgspec.json.Decoder[T]", body: bytes, camel: bytes) -> T:
    """Return the decoded body of which `camel` is known. Raises InvalidRequest that names a field as it was sent."""
    try:
        return decode(decoder, camel)
    except InvalidRequest as error:
        if camel is body or not error.param:
            raise
        param = _as_sent(error.param, body)
        raise InvalidRequest(error.message.replace(error.param, param), code=error.code, param=param) from error


@lru_cache(maxsize=1)  # the head and the request are read of one body, one after the other
def to_camel(body: bytes) -> bytes:
    """Return the body in camelCase with lists where lists belong; the same object where it is so already.

    Raises InvalidRequest for a body that is no JSON object, or that says one thing in both spellings.
    """
    if not _is_spelled_otherwise(body):
        return body
    return bytes(_respell(msgspec.Raw(body), _BODY))


def _is_spelled_otherwise(body: bytes) -> bool:
    if _ANY_SNAKE.search(body) and _SNAKE_NAME.search(body):
        return True
    return _LONE_VALUE.search(body) is not None


def _respell(raw: msgspec.Raw, shape: _Shape) -> msgspec.Raw:
    names = _BY_SHAPE[id(shape)]
    fields: dict[str, msgspec.Raw] = {}
    for sent, value in decode(OBJECT_DECODER, bytes(raw)).items():
        name = names.get(sent, sent)
        if name in fields:
            raise InvalidRequest(f"{sent} is given twice, in two spellings", code="invalid_value", param=sent)
        child = shape.children.get(name)
        listed = _listed(value) if name in shape.lists else value
        fields[name] = listed if child is None else _respell_all(listed, child)
    return msgspec.Raw(msgspec.json.encode(fields))


def _respell_all(value: msgspec.Raw, shape: _Shape) -> msgspec.Raw:
    """Respell an object or the objects of a list; whatever else it is, is for the decoder to refuse."""
    start = bytes(value)[:1]
    if start == b"{":
        return _respell(value, shape)
    if start != b"[":
        return value
    return msgspec.Raw(msgspec.json.encode([_respell_all(item, shape) for item in LIST_DECODER.decode(value)]))


def _listed(value: msgspec.Raw) -> msgspec.Raw:
    return msgspec.Raw(b"[" + bytes(value) + b"]") if bytes(value)[:1] in (b"{", b'"') else value


def _as_sent(param: str, body: bytes) -> str:
    """Return a path with those names in snake_case that stand so in the body."""
    return _WORD.sub(lambda match: _snake(match[0]) if f'"{_snake(match[0])}"'.encode() in body else match[0], param)
