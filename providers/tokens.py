"""How many tokens a call takes in and may give out, before it is made.

Input is counted in two steps, because exactness costs and is seldom needed. `Head.input_tokens_most` comes with every
call for the price of an addition: about a token a byte, so that no vocabulary counts more, and four to five times too
much for prose. Only where that much does not fit a budget or a limit is the prompt taken apart and counted
(`measure.read_prompt`, then `count_prompt`), at 15 µs a kilobyte. The tokenizer keeps the interpreter's lock, so
threads do not help: long prompts are counted in steps, and the event loop has its turn after each.
docs/decisions/0004 has the figures.

The one place that says what is assumed where a vendor's tokenizer is unknown is `_count_most`: twice what o200k_base
counts, no less than a token for two bytes, no more than one a byte. Where an attempt has to be charged although the
provider reported nothing, `estimate_prompt` takes o200k_base's count as it is.

Output is bounded by what the client allows, else by the route's cap, the model's maximum, or the gateway's cap.
"""

import asyncio
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Protocol

import msgspec

from providers.dialects.canonical import Head, Prompt, estimate_tokens
from providers.dialects.openai_chat.measure import PICTURE_TOKENS_MOST, TOOLS_TOKENS, WRAPPING_TOKENS, measure_text

STEP_CHARS = 16_384  # a quarter of a millisecond of prose, two of the worst text
ESTIMATE_CHARS = 4 * STEP_CHARS
GUESS_MARGIN = 2
GUESS_BYTES_A_TOKEN = 2


class Tokenizer(msgspec.Struct, frozen=True):
    """How one family of models counts: its vocabulary, and what it adds for what is no text of the prompt.

    `guessed` tells that the vocabulary is another vendor's. Without a vocabulary, four bytes of text are a token and
    nothing else counts: that is how the mock bills.
    """

    vocabulary: str
    message_tokens: int = 3  # besides its role, which is counted; OpenAI's cookbook, "How to count tokens"
    wrapping_tokens: int = 3
    tools_tokens: int = 16
    picture_tokens: int = 5_000
    guessed: bool = False


TOKENIZERS: Mapping[str, Tokenizer] = MappingProxyType(
    {
        "": Tokenizer("o200k_base", wrapping_tokens=WRAPPING_TOKENS, tools_tokens=TOOLS_TOKENS, guessed=True),
        "o200k_base": Tokenizer("o200k_base"),
        "o200k_base_dear_pictures": Tokenizer("o200k_base", picture_tokens=PICTURE_TOKENS_MOST),
        "cl100k_base": Tokenizer("cl100k_base"),
        "quarter_bytes": Tokenizer(""),
    }
)


class _Vocabulary(Protocol):
    def count(self, text: str) -> int: ...


class OutputBound(msgspec.Struct, frozen=True):
    """The most an attempt can give out, and the cap that has to be written into each choice's request for that.

    `cap` is None where nothing is to be written: the call has no output, or the model's own maximum bounds it.
    """

    tokens: int
    cap: int | None = None


def warm_up() -> None:
    """Load the vocabularies, at start-up: a tenth of a second that no call should wait for."""
    for row in TOKENIZERS.values():
        if row.vocabulary:
            _vocabulary(row.vocabulary)


def count_tokens(text: str, *, tokenizer: str) -> int:
    """Return how many tokens a text is; where the tokenizer is unknown, more than it is likely to be."""
    return sum(_count_steps((text,), TOKENIZERS[tokenizer]))


async def count_prompt(prompt: Prompt, *, tokenizer: str, most: int) -> int:
    """Return how many tokens a prompt is, never above `most`, which is certain; other tasks have their turns meanwhile.

    Exact for text where the tokenizer is known, the stated guess where not.
    """
    row = TOKENIZERS[tokenizer]
    if not row.vocabulary:
        return min(most, _count_as_mock(prompt))
    total = _count_extras(prompt, row)
    for counted in _count_steps((*prompt.texts, *prompt.markup), row):
        total += counted
        await asyncio.sleep(0)
    return min(most, total)


def estimate_prompt(prompt: Prompt, *, tokenizer: str) -> int:
    """Return how many tokens a prompt probably was, for an attempt whose provider reported nothing.

    Text past the first 64 K characters is taken to be as dense as those.
    """
    row = TOKENIZERS[tokenizer]
    if not row.vocabulary:
        return _count_as_mock(prompt)
    counted, left, vocabulary = 0, ESTIMATE_CHARS, _vocabulary(row.vocabulary)
    for text in (*prompt.texts, *prompt.markup):
        counted += vocabulary.count(text[:left])
        left -= min(left, len(text))
    if not left:
        counted = -(-counted * sum(map(len, (*prompt.texts, *prompt.markup))) // ESTIMATE_CHARS)
    return counted + _count_extras(prompt, row)


def bound_output(head: Head, *, route_cap: int | None, target_most: int | None, usual_cap: int) -> OutputBound:
    """Return the most that an attempt at one target can give out.

    What the client states goes first, then the route's cap (no higher than the model can do, which would be refused),
    then the model's maximum, then the gateway's usual cap.
    """
    each = head.max_output_tokens
    if each is None and route_cap is None and target_most is not None:
        return OutputBound(target_most * head.choices)
    if each is None:
        each = min(route_cap or usual_cap, target_most or route_cap or usual_cap)
    return OutputBound(each * head.choices, each or None)


def _count_extras(prompt: Prompt, row: Tokenizer) -> int:
    return (
        prompt.messages * row.message_tokens
        + (row.wrapping_tokens if prompt.messages else 0)
        + (row.tools_tokens if prompt.has_tools else 0)
        + prompt.pictures * row.picture_tokens
        + prompt.attachment_tokens
        + prompt.given_tokens
    )


def _count_as_mock(prompt: Prompt) -> int:
    """Return what the mock will bill: a quarter of the bytes, texts joined by one; an embedding's inputs each apart."""
    sizes = [measure_text(text) for text in prompt.texts]
    if prompt.apart:  # tokens are text to it: six digits, a comma and a space
        return sum(max(1, estimate_tokens(size)) for size in sizes) + 2 * prompt.given_tokens
    return max(1, estimate_tokens(sum(sizes) + len(sizes) - 1)) + prompt.given_tokens


def _count_steps(texts: tuple[str, ...], row: Tokenizer) -> Iterator[int]:
    """Count texts, one after another and long ones in pieces, and give what was counted after each STEP_CHARS."""
    counted = chars = 0
    count = _vocabulary(row.vocabulary).count if row.vocabulary else _quarter_bytes
    for text in texts:
        for start in range(0, len(text), STEP_CHARS):
            piece = text[start : start + STEP_CHARS]
            tokens = count(piece)
            counted += _count_most(piece, tokens) if row.guessed else tokens
            counted += start > 0  # a cut can hide a token
            chars += len(piece)
            if chars >= STEP_CHARS:
                yield counted
                counted = chars = 0
    yield counted


def _count_most(text: str, o200k_tokens: int) -> int:
    """Return what an unknown tokenizer makes of a text at the most, in practice."""
    byte_count = measure_text(text)
    return max(-(-byte_count // GUESS_BYTES_A_TOKEN), min(byte_count, GUESS_MARGIN * o200k_tokens))


def _quarter_bytes(text: str) -> int:
    return estimate_tokens(measure_text(text))


@cache
def _vocabulary(name: str) -> _Vocabulary:
    vocabulary: _Vocabulary = _bindings().tokenizer_for_encoding(name)
    return vocabulary


@cache
def _bindings() -> ModuleType:
    """Load the tokenizer's extension by itself.

    Its package would unpack three vocabularies into dictionaries that counting has no use for: 67 MB and a third of a
    second in every process that imports it.
    """
    package = find_spec("bpe_openai")
    if package is None or not package.submodule_search_locations:
        raise ImportError("bpe_openai is not installed")
    file = next(Path(package.submodule_search_locations[0]).glob("_bindings.*[do]"))  # .so, .pyd; not the .pyi
    spec = spec_from_file_location("bpe_openai._bindings", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
