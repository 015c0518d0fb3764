"""The mock charges what it generated, once, whoever was there to read it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from providers.dialects.canonical import Operation, Usage
from providers.mock.bill import Bill, Generated, Line, charge_for, read_bill
from providers.mock.directions import FAULTS
from providers.mock.script import Script, write_script

USAGE = Usage(input_tokens=10, cached_input_tokens=4, output_tokens=9, reasoning_tokens=3, audio_output_tokens=1)
FREE = {"connect", "reset", "html", "empty", "no_content", "wrong_type", "not_json"}


def script(directions: str, **fields: Any) -> Script:
    body = {"model": "m", "messages": [{"role": "user", "content": f"[[mock {directions}]]"}]} | fields
    return write_script(Operation.CHAT, msgspec.json.encode(body), tries_before=0)


def test_lines_are_read_as_they_were_added(tmp_path: Path) -> None:
    lines = [Line(f"att_{n}", "req_1", "m", USAGE, "hung_up", bool(n), n, n + 1) for n in range(3)]
    for line in lines:  # whoever opens it next adds to it
        bill = Bill(tmp_path / "bill")
        bill.add(line)
        bill.close()
    assert read_bill(tmp_path / "bill") == lines


def test_a_whole_answer_is_charged_whole() -> None:
    assert charge_for(Generated("m", USAGE), pieces_sent=0) == USAGE


@pytest.mark.parametrize(
    ("pieces", "output", "reasoning"), [(0, 0, 0), (1, 4, 3), (2, 5, 3), (6, 9, 3), (9, 9, 3)]
)  # a piece that names the role, five with a token, and what follows
def test_a_stream_is_charged_as_far_as_it_went(pieces: int, output: int, reasoning: int) -> None:
    charged = charge_for(Generated("m", USAGE, paced=True, lead_pieces=1), pieces_sent=pieces)
    assert (charged.output_tokens, charged.reasoning_tokens) == (output, reasoning)
    assert (charged.input_tokens, charged.cached_input_tokens) == (10, 4)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_what_nobody_generated_is_free(fault: str) -> None:
    assert (script(f"tokens=5 fault={fault}").generated is None) is (fault in FREE)


def test_refusals_are_free() -> None:
    assert script("status=500").generated is None


def test_an_answer_lost_after_it_was_generated_is_charged_whole() -> None:
    for stream in (False, True):
        made = script("tokens=5 fault=error_after", stream=stream)
        assert made.generated is not None
        assert (made.pieces, made.ending) == ((), "cut")
        assert charge_for(made.generated, pieces_sent=0).output_tokens == 5


@pytest.mark.parametrize(
    ("directions", "asks", "told"), [("", True, True), ("", False, False), ("fault=no_usage", True, False)]
)
def test_it_knows_whether_the_usage_was_told(directions: str, asks: bool, told: bool) -> None:
    made = script(f"tokens=3 {directions}", stream=True, stream_options={"include_usage": asks})
    assert made.generated is not None
    assert (made.generated.usage_pieces is not None) is told
    if told:
        assert made.generated.usage_pieces == len(made.pieces) - 1  # all but [DONE]
        assert b'"prompt_tokens"' in made.pieces[-2]


@pytest.mark.parametrize(
    ("fault", "cut_after", "told", "tokens"),
    [
        ("error_event", 3, False, 2),
        ("error_event", 4, False, 3),
        ("cut", 6, True, 3),
        ("no_done", 2, False, 1),
    ],
)
def test_what_a_stream_says_instead_is_no_token_and_no_usage(
    fault: str, cut_after: int, told: bool, tokens: int
) -> None:
    asked = {"include_usage": True}  # the role, three tokens, the finish, the usage, the end
    made = script(f"tokens=3 fault={fault} cut_after={cut_after}", stream=True, stream_options=asked).generated
    assert made is not None
    assert (made.usage_pieces is not None) is told
    assert charge_for(made, pieces_sent=cut_after + 1).output_tokens == tokens


def test_every_class_of_token_is_in_the_answer_and_on_the_bill() -> None:
    told = "tokens=2 cached=3 cache_write=2 audio_in=1 reasoning=5 audio_out=4"
    made = script(told)
    assert made.generated is not None
    usage = made.generated.usage
    assert (usage.cached_input_tokens, usage.cache_write_tokens, usage.audio_input_tokens) == (3, 2, 1)
    assert (usage.output_tokens, usage.reasoning_tokens, usage.audio_output_tokens) == (11, 5, 4)
    said = msgspec.json.decode(made.pieces[0])["usage"]
    assert said["prompt_tokens_details"] == {"cached_tokens": 3, "audio_tokens": 1, "cache_write_tokens": 2}
    assert said["completion_tokens_details"] == {"reasoning_tokens": 5, "audio_tokens": 4}


def test_parts_of_a_prompt_are_never_more_than_the_prompt() -> None:
    made = script("cached=100000 audio_in=100000")
    assert made.generated is not None
    usage = made.generated.usage
    assert (usage.cached_input_tokens, usage.audio_input_tokens) == (usage.input_tokens, 0)


def test_an_embedding_is_charged_for_its_input() -> None:
    made = write_script(Operation.EMBEDDING, b'{"model":"m","input":["abcdefgh","b"]}', tries_before=0)
    assert made.generated == Generated("m", Usage(input_tokens=3), usage_pieces=1)
