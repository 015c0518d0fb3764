"""Embeddings in OpenAI's form: requests and answers, read and written (specification 2.3.0).

`input_type` is not OpenAI's; NVIDIA's, Cohere's and Voyage's servers of this dialect take it.
"""

import msgspec

from kernel.errors import InvalidRequest, UpstreamBroken
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.codec import Asked, Encoded, Upstream
from providers.dialects.complaints import decode
from providers.dialects.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.dialects.hints import HINTS, sort_extras
from providers.dialects.openai_chat.conversing import read_extras
from providers.dialects.openai_chat.errors import reported
from providers.dialects.openai_chat.parts import ABSENT, Fields, is_said
from providers.dialects.openai_chat.response import describe
from providers.dialects.openai_chat.spelling import respell
from providers.dialects.openai_chat.usage import read_usage_leniently
from providers.dialects.openai_chat.vectors import pack, read_vector, wants_base64

_TASK_NAMES = {Dialect.GEMINI: "taskType", Dialect.OPENAI: "input_type", Dialect.COHERE: "input_type"}


class _Request(msgspec.Struct):
    model: str
    input: str | list[str | int | list[int]]
    dimensions: int | None = None
    encoding_format: str | None = None
    input_type: str | None = None
    user: str | None = None
    max_cost_usd: msgspec.Raw = ABSENT


class _Item(msgspec.Struct):
    embedding: msgspec.Raw
    index: int = 0


class _Answer(msgspec.Struct):
    data: list[_Item] | None = None
    model: str | None = ""
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


_request = msgspec.json.Decoder(_Request)
_answer = msgspec.json.Decoder(_Answer)
_KNOWN = frozenset(_Request.__struct_fields__)


def decode_embedding_request(body: bytes) -> EmbeddingRequest:
    """Return the request. Raises InvalidRequest that names the field."""
    wire = decode(_request, body)
    return EmbeddingRequest(
        model=wire.model,
        inputs=_read_inputs(wire.input),
        dialect=Dialect.OPENAI,
        dimensions=wire.dimensions,
        task=wire.input_type or "",
        base64=wire.encoding_format == "base64",
        user=wire.user or "",
        extras=read_extras(body, _KNOWN),
    )


def encode_embedding_request(request: EmbeddingRequest, upstream: Upstream) -> Encoded:
    """Return the body, and what of the request it doesn't say."""
    fields: Fields = {"model": upstream.model, "input": request.inputs}
    unsupported, ignored = sort_extras(request, Dialect.OPENAI)
    if request.dimensions is not None:
        fields["dimensions"] = request.dimensions
    if request.user:
        fields["user"] = request.user
    if request.title:
        unsupported = (*unsupported, "title")
    if request.dialect is Dialect.OPENAI:
        fields.update(request.extras)
        if request.task:
            fields["input_type"] = request.task
    elif request.task:
        unsupported = (*unsupported, _TASK_NAMES.get(request.dialect, "task"))
    raws = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in fields.items()}
    dropped = respell(raws, upstream.spelling)
    return Encoded(
        msgspec.json.encode(raws),
        unsupported=(*unsupported, *(name for name in dropped if name not in HINTS)),
        ignored=(*ignored, *(name for name in dropped if name in HINTS)),
    )


def decode_embedding_answer(body: bytes) -> EmbeddingAnswer:
    """Return the vectors in the order of their inputs. Raises UpstreamBroken where the bytes are no answer."""
    try:
        wire = _answer.decode(body)
    except msgspec.ValidationError as error:
        raise UpstreamBroken(f"the provider's answer is not as its dialect has it: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken(describe(body)) from error
    if is_said(wire.error):
        raise reported(body)
    if wire.data is None:
        raise UpstreamBroken("the provider's answer has no data")
    items = sorted(wire.data, key=lambda item: item.index)
    vectors = tuple(read_vector(item.embedding) for item in items)
    return EmbeddingAnswer(vectors, model=wire.model or "", usage=read_usage_leniently(wire.usage))


def encode_embedding_answer(answer: EmbeddingAnswer, asked: Asked) -> bytes:
    """Return the body of an answer, its vectors as the client wants them."""
    packed = wants_base64(asked.body)
    items = [
        {"object": "embedding", "index": index, "embedding": pack(vector) if packed else vector}
        for index, vector in enumerate(answer.vectors)
    ]
    tokens = (answer.usage or Usage()).input_tokens
    fields = {
        "object": "list",
        "data": items,
        "model": answer.model or asked.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    return msgspec.json.encode(fields)


def _read_inputs(given: str | list[str | int | list[int]]) -> tuple[str | tuple[int, ...], ...]:
    """Return the inputs: a text, tokens, or a list of either."""
    if isinstance(given, str):
        given = [given]
    tokens = tuple(item for item in given if isinstance(item, int))
    if tokens and len(tokens) == len(given):
        return (tokens,)
    if tokens or not given or not all(given):
        raise InvalidRequest(
            "input is a text, a list of tokens, or a list of either", code="invalid_value", param="input"
        )
    return tuple(item if isinstance(item, str) else tuple(item) for item in given if not isinstance(item, int))
