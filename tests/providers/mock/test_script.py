"""A request becomes a script: pieces, pauses and an ending, decided and not played."""

from typing import Any

import msgspec
import pytest

from providers.dialects.canonical import Operation
from providers.mock.directions import FAULTS
from providers.mock.script import JSON, Script, write_script


def script(directions: str = "", *, tries_before: int = 0, **fields: Any) -> Script:
    text = f"[[mock {directions}]]" if directions else "hello"
    body = {"model": "m", "messages": [{"role": "user", "content": text}]} | fields
    return write_script(Operation.CHAT, msgspec.json.encode(body), tries_before=tries_before)


def test_a_whole_answer_is_one_piece() -> None:
    made = script()
    assert (made.status, made.content_type, len(made.pieces), made.ending) == (200, JSON, 1, "end")


def test_a_stream_is_a_piece_an_event() -> None:
    made = script("tokens=3 delay_ms=20 pace_ms=10", stream=True)
    assert made.content_type == b"text/event-stream"
    assert len(made.pieces) == 1 + 3 + 1 + 1  # role, words, finish, done
    assert (made.delay_s, made.pace_s) == (0.02, 0.01)


@pytest.mark.parametrize(
    ("fault", "ending", "kept"),
    [("cut", "cut", 4), ("stall", "stall", 4), ("error_event", "end", 5), ("no_done", "end", 4)],
)
def test_a_stream_ends_where_it_was_told_to(fault: str, ending: str, kept: int) -> None:
    made = script(f"fault={fault} cut_after=4", stream=True)
    assert (made.ending, len(made.pieces)) == (ending, kept)
    assert not any(b"[DONE]" in piece for piece in made.pieces)


def test_usage_is_kept_back_when_told() -> None:
    asked = {"stream_options": {"include_usage": True}}
    assert b'"prompt_tokens"' in b"".join(script(stream=True, **asked).pieces)
    assert b'"prompt_tokens"' not in b"".join(script("fault=no_usage", stream=True, **asked).pieces)
    assert b'"prompt_tokens"' not in b"".join(script("fault=no_usage").pieces)


def test_a_status_is_an_error_in_the_providers_envelope() -> None:
    made = script("status=429 retry_after=2")
    assert (made.status, made.headers) == (429, ((b"retry-after", b"2"),))
    assert msgspec.json.decode(made.pieces[0])["error"]["code"] == "mock_error"


def test_misbehaving_ends_after_so_many_tries() -> None:
    statuses = [script("status=500 fails=2 tokens=3", tries_before=n).status for n in range(4)]
    assert statuses == [500, 500, 200, 200]
    assert script("fault=cut fails=1 tokens=3", tries_before=1).ending == "end"
    assert b'"completion_tokens":3' in script("status=500 fails=1 tokens=3", tries_before=1).pieces[0]


@pytest.mark.parametrize("fault", sorted(FAULTS))
@pytest.mark.parametrize("stream", [False, True])
def test_every_fault_makes_a_difference(fault: str, stream: bool) -> None:
    options = {"include_usage": True}
    usual = script("tokens=5", stream=stream, stream_options=options)
    told = script(f"tokens=5 fault={fault}", stream=stream, stream_options=options)
    only_streams = {"error_event", "no_done"}
    assert (
        told.status, told.content_type, told.ending, len(told.pieces), told.headers, b"".join(told.pieces)[-9:],
    ) != (
        usual.status, usual.content_type, usual.ending, len(usual.pieces), usual.headers, b"".join(usual.pieces)[-9:],
    ) or (fault in only_streams and not stream) or (fault == "no_usage" and not stream)  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model":"m?nope=1","messages":[]}', b'{"messages":[1]}'])
def test_nonsense_is_answered_with_400(body: bytes) -> None:
    made = write_script(Operation.CHAT, body, tries_before=0)
    assert made.status == 400
    assert msgspec.json.decode(made.pieces[0])["error"]["code"] == "invalid_request"


def test_other_operations() -> None:
    embedded = write_script(Operation.EMBEDDING, b'{"model":"m","input":"a"}', tries_before=0)
    assert msgspec.json.decode(embedded.pieces[0])["object"] == "list"
    completed = write_script(Operation.COMPLETION, b'{"model":"m","prompt":"a"}', tries_before=0)
    assert msgspec.json.decode(completed.pieces[0])["choices"][0]["text"] == "You said: a"
