"""A whole answer of generateContent, read and written."""

from collections.abc import Callable
from functools import partial
from itertools import count

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.codec import Asked, Facts
from providers.dialects.conversation import (
    Answer,
    Audio,
    Choice,
    Citation,
    Document,
    Finish,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Video,
)
from providers.dialects.gemini_generate import wire
from providers.dialects.gemini_generate.finishes import read_finish, write_reason
from providers.dialects.gemini_generate.grounding import Grounding, read_grounding, write_grounding
from providers.dialects.gemini_generate.logprobs import LogprobsResult, read_logprobs, write_logprobs
from providers.dialects.gemini_generate.media import tell_media
from providers.dialects.gemini_generate.parts import read_arguments, read_part, write_call, write_thought
from providers.dialects.gemini_generate.usage import WireUsage, read_usage, write_usage
from providers.dialects.gemini_generate.wire import ABSENT, Content, WirePart, WrittenContent, is_given


class Candidate(msgspec.Struct, rename="camel", gc=False):
    """One of the answers, or a piece of it, as it is read."""

    content: Content | None = None
    finish_reason: str | None = None
    index: int | None = None
    grounding_metadata: msgspec.Raw = ABSENT
    logprobs_result: msgspec.Raw = ABSENT


class Feedback(msgspec.Struct, rename="camel", gc=False):
    """Why a prompt got no answer."""

    block_reason: str | None = None


class Chunk(msgspec.Struct, rename="camel", gc=False):
    """An answer, or a piece of it, as it is read."""

    candidates: list[Candidate] | None = None
    prompt_feedback: Feedback | None = None
    usage_metadata: msgspec.Raw = ABSENT
    model_version: str | None = None
    response_id: str | None = None
    error: msgspec.Raw = ABSENT

    @property
    def is_blocked(self) -> bool:
        """Tell whether the vendor refused the prompt, and so gave no candidates at all."""
        return not self.candidates and self.prompt_feedback is not None and bool(self.prompt_feedback.block_reason)


class WrittenCandidate(msgspec.Struct, rename="camel", omit_defaults=True):
    """One of the answers, or a piece of it, as it is written."""

    content: WrittenContent
    index: int | None = None
    finish_reason: str | None = None
    grounding_metadata: Grounding | None = None
    logprobs_result: LogprobsResult | None = None


class WrittenChunk(msgspec.Struct, rename="camel", omit_defaults=True):
    """An answer, or a piece of it, as it is written."""

    candidates: list[WrittenCandidate]
    usage_metadata: WireUsage | None = None
    model_version: str = ""
    response_id: str = ""


class _RawContent(msgspec.Struct):
    parts: list[msgspec.Raw] | None = None


class _RawCandidate(msgspec.Struct):
    content: _RawContent | None = None


class _RawChunk(msgspec.Struct):
    candidates: list[_RawCandidate]


CHUNK_DECODER = msgspec.json.Decoder(Chunk)
_raw_chunk = msgspec.json.Decoder(_RawChunk)
_usage = msgspec.json.Decoder(WireUsage)
_grounding = msgspec.json.Decoder(Grounding)
_logprobs = msgspec.json.Decoder(LogprobsResult)


def decode_answer(body: bytes) -> Answer:
    """Return the answer; a refused prompt is a filtered choice without parts. Raises UpstreamBroken."""
    chunk = _decode(body)
    if not chunk.candidates and not chunk.is_blocked:
        raise UpstreamBroken("the provider's answer has neither candidates nor a reason for having none")
    made = count(1)

    def new_id() -> str:
        return f"call_{chunk.response_id or ''}_{next(made)}"

    try:
        choices = [_read_choice(chunk.candidates, place, body, new_id) for place in range(len(chunk.candidates or ()))]
    except UnicodeDecodeError as error:  # what is kept raw is not looked at before it is read
        raise UpstreamBroken("the provider's answer is not one of generateContent's") from error
    return Answer(
        choices=tuple(choices) or (Choice((), Finish.CONTENT_FILTER),),
        id=chunk.response_id or "",
        model=chunk.model_version or "",
        usage=usage_of(chunk),
    )


def encode_answer(answer: Answer, asked: Asked) -> bytes:
    """Return the body of a whole answer."""
    chunk = WrittenChunk(
        candidates=[_write_choice(choice) for choice in answer.choices],
        usage_metadata=write_usage(answer.usage) if answer.usage is not None else None,
        model_version=answer.model or asked.model,
        response_id=answer.id or asked.answer_id,
    )
    return msgspec.json.encode(chunk)


def read_facts(body: bytes) -> Facts:
    """Return what accounting needs. Raises UpstreamBroken where the bytes are no answer."""
    chunk = _decode(body)
    if not chunk.candidates and not chunk.is_blocked:
        raise UpstreamBroken("the provider's answer has neither candidates nor a reason for having none")
    usage = usage_of(chunk)
    return Facts(
        usage=usage,
        finish_reason=finish_of(chunk.candidates[0]).value if chunk.candidates else Finish.CONTENT_FILTER.value,
        output_bytes=sum(output_bytes_of(candidate) for candidate in chunk.candidates or ()),
    )


def usage_of(chunk: Chunk) -> Usage | None:
    """Return the usage that a chunk reports, with the searches behind it; None where it reports none."""
    if chunk.usage_metadata is ABSENT:
        return None
    try:
        usage = read_usage(_usage.decode(chunk.usage_metadata))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    searches = 0
    for candidate in chunk.candidates or ():
        if candidate.grounding_metadata is not ABSENT:
            searches += len(grounding_of(candidate).web_search_queries or ())
    return msgspec.structs.replace(usage, searches=searches) if usage is not None and searches else usage


def grounding_of(candidate: Candidate) -> Grounding:
    """Return what a candidate rests on, nothing where that is not understood."""
    if not is_given(candidate.grounding_metadata):
        return Grounding()
    try:
        return _grounding.decode(candidate.grounding_metadata)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Grounding()


def logprobs_of(candidate: Candidate) -> msgspec.Raw | None:
    """Return a candidate's probabilities as OpenAI's list of tokens."""
    if not is_given(candidate.logprobs_result):
        return None
    try:
        return read_logprobs(_logprobs.decode(candidate.logprobs_result))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def finish_of(candidate: Candidate) -> Finish:
    """Return why a whole candidate ended."""
    parts = parts_of(candidate)
    has_calls = any(part.function_call is not None for part in parts)
    return read_finish(candidate.finish_reason or "", has_calls=has_calls)


def parts_of(candidate: Candidate) -> list[wire.Part]:
    """Return a candidate's parts."""
    return (candidate.content.parts or []) if candidate.content is not None else []


def output_bytes_of(candidate: Candidate) -> int:
    """Return the size of what was said, thought and called."""
    total = 0
    for part in parts_of(candidate):
        if part.text:
            total += len(part.text) if part.text.isascii() else len(part.text.encode(errors="surrogatepass"))
        elif part.function_call is not None:
            total += len(bytes(part.function_call.args))
    return total


def raw_part(body: bytes, place: int, index: int) -> msgspec.Raw:
    """Return the JSON of one part of one candidate."""
    content = _raw_chunk.decode(body).candidates[place].content
    assert content is not None
    assert content.parts is not None
    return content.parts[index]


def write_part(part: Part) -> WirePart | None:
    """Return how a part of an answer is told; None for what this dialect has no words for.

    A call whose arguments are no JSON object is such a part: Gemini itself names it as the reason why it stopped.
    """
    match part:
        case Text() | Refusal():
            return wire.Part(text=part.text) if part.text else None
        case Thinking():
            return write_thought(part)
        case ToolCall():
            arguments = read_arguments(part.arguments)
            return None if arguments is None else write_call(part, arguments)
        case Image() | Document() | Audio() | Video():
            return tell_media(part)
        case Opaque() if part.dialect is Dialect.GEMINI:
            return part.raw
        case _:
            return None


def _decode(body: bytes) -> Chunk:
    try:
        return CHUNK_DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken("the provider's answer is not one of generateContent's") from error


def _read_choice(candidates: list[Candidate] | None, place: int, body: bytes, new_id: Callable[[], str]) -> Choice:
    assert candidates is not None
    candidate = candidates[place]
    parts: list[Part] = []
    for index, part in enumerate(parts_of(candidate)):
        parts += read_part(part, raw=partial(raw_part, body, place, index), new_id=new_id)
    joined = _cite(_join(parts), grounding_of(candidate))
    return Choice(
        parts=tuple(joined),
        finish=finish_of(candidate),
        index=place if candidate.index is None else candidate.index,
        logprobs=logprobs_of(candidate),
    )


def _join(parts: list[Part]) -> list[Part]:
    """Return the parts with neighbouring texts as one, as a stream would tell them; a signature ends its thought."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Text) and isinstance(last, Text):
            joined[-1] = Text(last.text + part.text)
        elif isinstance(part, Thinking) and isinstance(last, Thinking) and _is_open(last):
            joined[-1] = msgspec.structs.replace(part, text=last.text + part.text)
        else:
            joined.append(part)
    return joined


def _cite(parts: list[Part], grounding: Grounding) -> list[Part]:
    """Return the parts with the citations at the last text, which they speak of."""
    for place in range(len(parts) - 1, -1, -1):
        part = parts[place]
        if isinstance(part, Text):
            citations = tuple(read_grounding(grounding, part_text=part.text))
            return [*parts[:place], msgspec.structs.replace(part, citations=citations), *parts[place + 1 :]]
    return parts


def _write_choice(choice: Choice) -> WrittenCandidate:
    written = [write_part(part) for part in choice.parts]
    cited: list[tuple[str, Citation]] = [
        (part.text, citation) for part in choice.parts if isinstance(part, Text) for citation in part.citations
    ]
    is_malformed = any(
        isinstance(part, ToolCall) and told is None for part, told in zip(choice.parts, written, strict=True)
    )
    finish = Finish.ERROR if is_malformed and choice.finish is not Finish.LENGTH else choice.finish
    return WrittenCandidate(
        content=WrittenContent([part for part in written if part is not None], "model"),
        index=choice.index,
        finish_reason=write_reason(finish),
        grounding_metadata=write_grounding(cited),
        logprobs_result=write_logprobs(choice.logprobs),
    )


def _is_open(thought: Thinking) -> bool:
    return bool(thought.text) and not thought.signature and not thought.redacted
