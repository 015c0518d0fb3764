"""What a path under a provider's root tells: the door where the same is asked for, the model, whether it is safe."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects import doors
from providers.dialects.codec import NO_FACTS, PathFacts
from providers.dialects.door import Door

_ENDINGS: Mapping[str, Door] = MappingProxyType(
    {
        "chat/completions": doors.CHAT,
        "completions": doors.COMPLETIONS,
        "embeddings": doors.EMBEDDINGS,
        "images/generations": doors.IMAGES,
        "audio/speech": doors.SPEECH,
        "moderations": doors.MODERATIONS,
        "rerank": doors.RERANK,
        "responses": doors.RESPONSES,
        "responses/input_tokens": doors.COUNT_RESPONSE,
        "responses/compact": doors.COMPACT_RESPONSE,
        "messages": doors.MESSAGES,
        "messages/count_tokens": doors.COUNT_MESSAGES,
    }
)
_METHODS: Mapping[str, Door] = MappingProxyType(
    {
        "generateContent": doors.GENERATE,
        "streamGenerateContent": doors.GENERATE_ARRAY,
        "countTokens": doors.COUNT_CONTENT,
        "embedContent": doors.EMBED_ONE,
        "batchEmbedContents": doors.EMBED_MANY,
    }
)
_METHOD = re.compile(r"(?:.*/)?models/([^/:]+):(\w+)")
# Where nothing else in the path can say another model than the one that is read.
_EXACT_METHOD = re.compile(r"(?:v\d\w*/)?(?:projects/[^/]+/locations/[^/]+/publishers/[^/]+/)?models/[^/:]+:\w+")
_VERSION: Final = re.compile(r"v\d\w*/")
_MODEL = re.compile(r"(?:^|/)(?:deployments|models?)/([^/]+?)(?::[A-Za-z]+)?(?:/|$)")
_PRINTABLE = re.compile(rb"[!\"$->@-~\x80-\xff]*")  # neither ? nor #, which end a path
_SEPARATORS = re.compile(rb"[/\\]")
_BELOW_SPACE = re.compile(rb"[\x00-\x1f\x7f]")
_READINGS_MAX = 2  # how often a server behind another may undo percent signs


class Told(msgspec.Struct, frozen=True):
    """What a path tells. `exact` says that nothing else in the path can name another model than the request does."""

    door: Door | None = None
    exact: bool = False
    model: str = ""
    facts: PathFacts = NO_FACTS


def check_path(path: bytes) -> None:
    """Raise InvalidRequest for a path that might leave the provider's root, however a server reads it."""
    readings = [path]
    for _ in range(_READINGS_MAX):
        readings.append(unquote_to_bytes(readings[-1]))
    if not _PRINTABLE.fullmatch(path) or b"//" in path or any(_strays(reading) for reading in readings):
        raise InvalidRequest("This path can't be passed on: it must stay under the provider's own.", code="unsafe_path")


def read_path(method: str, path: str, query: str) -> Told:
    """Return what a path without its first slash tells."""
    model = unquote(found[1]) if (found := _MODEL.search(path)) else ""
    if method != "POST":
        return Told(model=model)
    if (called := _METHOD.fullmatch(path)) and called[2] in _METHODS:
        return _read_method(path, unquote(called[1]), called[2], query)
    for ending, door in sorted(_ENDINGS.items(), key=lambda item: -len(item[0])):
        if path == ending or path.endswith("/" + ending):
            before = path[: -len(ending)]
            return Told(door, exact=not before or _VERSION.fullmatch(before) is not None, model=model)
    return Told(model=model)


def _read_method(path: str, model: str, method: str, query: str) -> Told:
    streams = method == "streamGenerateContent"
    door = doors.GENERATE if streams and "alt=sse" in query.split("&") else _METHODS[method]
    facts = PathFacts(model, stream=streams)
    return Told(door, exact=_EXACT_METHOD.fullmatch(path) is not None, model=model, facts=facts)


def _strays(path: bytes) -> bool:
    parts = [part.partition(b";")[0] for part in _SEPARATORS.split(path)]
    return b"." in parts or b".." in parts or _BELOW_SPACE.search(path) is not None
