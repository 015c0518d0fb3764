"""Token counts in Gemini's `usageMetadata`.

`promptTokenCount` includes cached tokens, `toolUsePromptTokenCount` is prompt that stands beside it, and
`candidatesTokenCount` leaves out `thoughtsTokenCount`; in older answers of Vertex AI it doesn't, which the total tells
(google-genai 3.4's types; ai.google.dev/gemini-api/docs/thinking, November 2026 [mem]).
"""

import msgspec

from providers.dialects.canonical import Usage


class Modality(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """Tokens of one kind: TEXT, IMAGE, AUDIO, …"""

    modality: str | None = None
    token_count: int | None = None


class WireUsage(msgspec.Struct, rename="camel", omit_defaults=True):
    """`usageMetadata` of an answer or of any chunk of a stream, where it counts everything so far."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: list[Modality] | None = None
    candidates_tokens_details: list[Modality] | None = None


def read_usage(wire: WireUsage | None) -> Usage | None:
    """Return the canonical usage; None where nothing is counted."""
    if wire is None or (wire.prompt_token_count is None and wire.total_token_count is None):
        return None
    if wire.prompt_token_count and wire.prompt_token_count > 0 and _is_plain(wire):  # nearly every chunk of a stream
        return Usage(input_tokens=wire.prompt_token_count, output_tokens=_count(wire.candidates_token_count))
    input_tokens = _count(wire.prompt_token_count) + _count(wire.tool_use_prompt_token_count)
    thoughts = _count(wire.thoughts_token_count)
    candidates = _count(wire.candidates_token_count)
    includes_thoughts = thoughts <= candidates and input_tokens + candidates == wire.total_token_count
    output_tokens = candidates if includes_thoughts else candidates + thoughts
    if wire.prompt_token_count is None:
        input_tokens = max(0, _count(wire.total_token_count) - output_tokens)
    return Usage(
        input_tokens=input_tokens,
        cached_input_tokens=min(_count(wire.cached_content_token_count), input_tokens),
        output_tokens=output_tokens,
        reasoning_tokens=min(thoughts, output_tokens),
        audio_input_tokens=min(_audio(wire.prompt_tokens_details), input_tokens),
        audio_output_tokens=min(_audio(wire.candidates_tokens_details), output_tokens),
    )


def write_usage(usage: Usage) -> WireUsage:
    """Return the `usageMetadata` that says a usage; what Gemini doesn't count apart stays within its sum."""
    candidates = usage.output_tokens - usage.reasoning_tokens
    return WireUsage(
        prompt_token_count=usage.input_tokens,
        candidates_token_count=candidates,
        thoughts_token_count=usage.reasoning_tokens or None,
        cached_content_token_count=usage.cached_input_tokens or None,
        total_token_count=usage.total_tokens,
        prompt_tokens_details=_details(usage.input_tokens, usage.audio_input_tokens),
        candidates_tokens_details=_details(candidates, usage.audio_output_tokens),
    )


def _is_plain(wire: WireUsage) -> bool:
    """Tell whether nothing is counted but the text in and the text out."""
    if wire.thoughts_token_count or wire.cached_content_token_count or wire.tool_use_prompt_token_count:
        return False
    return _is_text(wire.prompt_tokens_details) and _is_text(wire.candidates_tokens_details)


def _is_text(details: list[Modality] | None) -> bool:
    return not details or (len(details) == 1 and details[0].modality == "TEXT")


def _details(tokens: int, audio_tokens: int) -> list[Modality] | None:
    if not audio_tokens:
        return None
    return [Modality("TEXT", max(0, tokens - audio_tokens)), Modality("AUDIO", audio_tokens)]


def _audio(details: list[Modality] | None) -> int:
    tokens = 0
    for detail in details or ():
        if detail.modality == "AUDIO":
            tokens += _count(detail.token_count)
    return tokens


def _count(value: int | None) -> int:
    return value if value and value > 0 else 0
