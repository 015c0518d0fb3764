"""Counts are never above the bound, agree with who bills, and leave the event loop its turns."""

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.tasks import spawn
from providers import tokens
from providers.dialects.canonical import Head, Operation, Prompt
from providers.dialects.openai_chat.measure import PICTURE_TOKENS_MOST, read_prompt
from providers.dialects.openai_chat.request import decode_head
from providers.mock import answers
from providers.presets import PRESETS, preset_of
from providers.tokens import STEP_CHARS, TOKENIZERS, OutputBound, bound_output, count_tokens, estimate_prompt

PROSE = "The gateway reserves the worst case before it calls, and posts what the call really cost. "
SURE = 10**9
EVERY_TOKENIZER = pytest.mark.parametrize("tokenizer", TOKENIZERS)
# What reads badly to a tokenizer, beside what reads well.
TEXTS = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60),
    st.sampled_from(
        [PROSE, "a" * 900, " " * 900, "7" * 90, "\n" * 90, "价格是精确的", "ราคา", "👩‍👩‍👧" * 9, '{"a":[1,2]}']
    ),
)
PART = st.one_of(
    TEXTS.map(lambda text: {"type": "text", "text": text}),
    TEXTS.map(lambda url: {"type": "image_url", "image_url": {"url": url}}),
    TEXTS.map(lambda data: {"type": "file", "file": {"file_data": data}}),
    TEXTS.map(lambda data: {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}),
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool"]), "content": TEXTS | st.lists(PART, max_size=3) | st.none()},
    optional={"name": TEXTS, "tool_calls": st.lists(st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2)},
)
CHAT = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.lists(MESSAGE, min_size=1, max_size=4)},
    optional={"tools": st.lists(st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2), "documents": TEXTS},
)


def read(request: dict[str, Any], operation: Operation = Operation.CHAT, *, plain: bool = False) -> Prompt:
    return read_prompt(operation, json.dumps(request, ensure_ascii=plain).encode())


def counted(prompt: Prompt, tokenizer: str, *, most: int = SURE) -> int:
    return asyncio.run(tokens.count_prompt(prompt, tokenizer=tokenizer, most=most))


def said(text: str) -> Prompt:
    return Prompt(texts=(text,), messages=1)


def test_known_texts_have_their_known_counts() -> None:
    tokens.warm_up()
    assert count_tokens("hello world", tokenizer="o200k_base") == 2
    assert count_tokens("tiktoken is great!", tokenizer="cl100k_base") == 6  # from OpenAI's cookbook
    assert count_tokens("お誕生日おめでとう", tokenizer="cl100k_base") == 9
    assert count_tokens("お誕生日おめでとう", tokenizer="o200k_base") == 8
    assert count_tokens("abcde", tokenizer="quarter_bytes") == 2
    assert count_tokens("", tokenizer="o200k_base") == 0


def test_special_tokens_in_a_text_are_text() -> None:
    assert count_tokens("<|endoftext|>", tokenizer="o200k_base") > 1


@given(TEXTS)
def test_an_unknown_tokenizer_is_taken_to_count_more_than_any_known(text: str) -> None:
    guess = count_tokens(text, tokenizer="")
    assert count_tokens(text, tokenizer="o200k_base") <= guess <= len(text.encode())
    assert count_tokens(text, tokenizer="cl100k_base") <= guess


@EVERY_TOKENIZER
@given(request=CHAT, plain=st.booleans())
def test_no_count_is_above_the_bound_that_comes_with_the_head(
    tokenizer: str, request: dict[str, Any], plain: bool
) -> None:
    body = json.dumps(request, ensure_ascii=plain).encode()
    most = decode_head(Operation.CHAT, body).input_tokens_most
    assert 1 <= counted(read_prompt(Operation.CHAT, body), tokenizer) <= most


@given(request=CHAT)
def test_the_mock_is_counted_as_it_bills(request: dict[str, Any]) -> None:
    bill = max(1, -(-len(answers.prompt_text(request).encode()) // 4))
    assert counted(read(request), "quarter_bytes") == bill


@pytest.mark.parametrize("given_input", ["x", "", ["abcde", "", "é"], [1, 22, 333_333], [[1, 2], [3]], [[199_999]]])
def test_the_bound_covers_the_mocks_embeddings(given_input: Any) -> None:
    request = {"model": "m", "input": given_input}
    body = json.dumps(request).encode()
    bill = json.loads(answers.embedding(request, "m"))["usage"]["prompt_tokens"]
    exact = counted(read_prompt(Operation.EMBEDDING, body), "quarter_bytes")
    assert bill <= exact
    if given_input:
        assert exact <= decode_head(Operation.EMBEDDING, body).input_tokens_most


@pytest.mark.parametrize("prompt", [PROSE, [PROSE, "more"], [1, 2, 3], [[1], [2]]])
def test_completions_are_counted_in_every_form(prompt: Any) -> None:
    request = {"model": "m", "prompt": prompt, "suffix": "end"}
    head = decode_head(Operation.COMPLETION, json.dumps(request).encode())
    assert 1 < counted(read(request, Operation.COMPLETION), "o200k_base") < head.input_tokens_most


def test_a_conversation_counts_as_its_cookbook_says() -> None:
    request = {"messages": [{"role": "user", "content": "hello world"}]}
    assert counted(read(request), "o200k_base") == 3 + 1 + 2 + 3  # around a message, its role, the text, the answer


def test_what_is_no_text_counts_by_a_fixed_number() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 90_000}}
    prompt = read({"messages": [{"role": "user", "content": [picture, picture]}]})
    assert counted(prompt, "o200k_base") == 2 * TOKENIZERS["o200k_base"].picture_tokens + 7
    assert counted(prompt, preset_of("openai").tokenizer_of("gpt-4o-mini")) == 2 * PICTURE_TOKENS_MOST + 7


def test_a_count_never_exceeds_what_is_certain() -> None:
    assert counted(said(PROSE), "o200k_base", most=3) == 3
    assert counted(said(PROSE), "quarter_bytes", most=3) == 3


@EVERY_TOKENIZER
def test_an_estimate_of_a_short_prompt_is_no_higher_than_its_count(tokenizer: str) -> None:
    prompt = read({"messages": [{"role": "user", "content": PROSE}], "tools": [{"type": "function"}]})
    assert 1 <= estimate_prompt(prompt, tokenizer=tokenizer) <= counted(prompt, tokenizer)


def test_the_rest_of_a_long_prompt_is_estimated_as_dense_as_its_beginning() -> None:
    prompt = said(PROSE * 5_000)
    exact = counted(prompt, "o200k_base")
    assert estimate_prompt(prompt, tokenizer="o200k_base") == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_cutting_a_long_text_hides_no_token(seed: int) -> None:
    rng = random.Random(seed)
    text = "".join(rng.choice([PROSE, "7", " ", "\n", "价", "x", "'s"]) for _ in range(20_000))
    whole = tokens._vocabulary("o200k_base").count(text)
    pieces = count_tokens(text, tokenizer="o200k_base")
    assert whole <= pieces <= whole + 3 * (len(text) // STEP_CHARS + 1)


async def test_others_have_their_turns_while_a_long_prompt_is_counted() -> None:
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = spawn(take_turns(), name="other")
    await tokens.count_prompt(said("x" * 20 * STEP_CHARS), tokenizer="o200k_base", most=SURE)
    other.cancel()
    assert turns >= 20


@pytest.mark.parametrize(
    ("stated", "route_cap", "target_most", "bound"),
    [
        (7, 100, 50, OutputBound(14, 7)),  # the client's own word goes first
        (None, 100, None, OutputBound(200, 100)),
        (None, 100, 50, OutputBound(100, 50)),  # a cap beyond the model's maximum would be refused
        (None, None, 50, OutputBound(100, None)),  # which the model can't exceed: nothing to write
        (None, None, None, OutputBound(8, 4)),
        (0, 100, 50, OutputBound(0, None)),  # embeddings
    ],
)
def test_output_is_bounded_by_who_speaks_first(
    stated: int | None, route_cap: int | None, target_most: int | None, bound: OutputBound
) -> None:
    head = Head(model="m", max_output_tokens=stated, choices=2)
    assert bound_output(head, route_cap=route_cap, target_most=target_most, usual_cap=4) == bound


def test_every_preset_names_a_tokenizer_that_there_is() -> None:
    named = {name for preset in PRESETS.values() for _, name in preset.tokenizers}
    assert named <= TOKENIZERS.keys()
