"""One try: what counts as an answer, and that the upstream is let go whatever happens."""

from typing import Any

import pytest

from kernel.errors import UpstreamBroken, UpstreamFailed, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from providers.adapters.http import BrokenResponse, ConnectFailed, FirstByteTimeout
from providers.dialects.canonical import Dialect, Operation, Usage
from routing.attempts.single import OpenStream, fetch_whole, open_stream
from routing.attempts.wire import Wire
from tests.builders import said
from tests.contracts.adapters import asking
from tests.scripted import (
    EVENT_STREAM,
    JSON,
    Answer,
    Upstream,
    delta,
    event,
    refusal,
    spoken,
    stream,
    usage_event,
    whole,
)

CUT = BrokenResponse("cut", sent=True)


def wire() -> Wire:
    """Return a way on which OpenAI's bytes pass as they are."""
    spoken_to = said(stream=True)
    return Wire(Dialect.OPENAI, Operation.CHAT, spoken_to.body, spoken_to)


async def open_it(answer: Any) -> OpenStream:
    return await open_stream(Upstream(answer), asking(stream=True), wire(), lambda usage: None)


async def test_a_whole_answer_keeps_its_bytes_and_headers() -> None:
    answer = whole({"prompt_tokens": 1, "completion_tokens": 2}, openai_version="v")
    body = answer.pieces[0]
    found = await fetch_whole(Upstream(answer), asking(), wire())
    assert (found.body, found.headers) == (body, answer.headers)
    assert (found.facts.usage, found.facts.finish_reason) == (Usage(input_tokens=1, output_tokens=2), "stop")
    assert answer.closed == 1


async def test_a_stream_is_open_once_it_has_something_to_say() -> None:
    answer = stream(b": hello", b"\n\n", delta("a"), delta("b"))
    opened = await open_it(answer)
    assert opened.first == b": hello\n\n"
    assert answer.closed == 0
    assert answer.pieces == [delta("a"), delta("b")]


async def test_what_the_caller_does_not_see_does_not_open_it() -> None:
    answer = stream(usage_event({"prompt_tokens": 1, "completion_tokens": 1}), delta("a"))
    opened = await open_it(answer)
    assert opened.first == delta("a")


WRONG: list[tuple[Any, type[UpstreamFailed], str]] = [
    (ConnectFailed("no", sent=False), UpstreamUnreachable, "upstream_unreachable"),
    (FirstByteTimeout("no", sent=True), UpstreamTimeout, "upstream_timeout"),
    (Answer([], status=204), UpstreamBroken, "upstream_invalid_response"),
    (Answer([], status=206), UpstreamBroken, "upstream_invalid_response"),
    (refusal(429), UpstreamRefused, "rate_limit_exceeded"),
    (Answer([], status=302), UpstreamRefused, "upstream_refused"),
    (Answer([CUT], status=500), UpstreamBroken, "upstream_cut"),
    (Answer([b""]), UpstreamBroken, "upstream_invalid_response"),
    (Answer([b"<html>"]), UpstreamBroken, "upstream_invalid_response"),
]


def again(answer: Any) -> Any:
    """Return a copy: parameters are shared and answers used up."""
    if not isinstance(answer, Answer):
        return answer
    return Answer(list(answer.pieces), status=answer.status, headers=list(answer.headers))


@pytest.mark.parametrize(("answer", "kind", "code"), [*WRONG, (Answer([b"{", CUT]), UpstreamBroken, "upstream_cut")])
async def test_what_is_no_whole_answer(answer: Any, kind: type[UpstreamFailed], code: str) -> None:
    answer = again(answer)
    with pytest.raises(kind) as caught:
        await fetch_whole(Upstream(answer), asking(), wire())
    assert caught.value.code == code
    assert getattr(answer, "closed", 1) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        *WRONG,
        (Answer([delta("a")], headers=list(JSON)), UpstreamBroken, "upstream_invalid_response"),
        (Answer([delta("a")], headers=[]), UpstreamBroken, "upstream_invalid_response"),
        (stream(), UpstreamBroken, "upstream_cut"),
        (stream(CUT), UpstreamBroken, "upstream_cut"),
        (stream(event({"error": {"message": "m", "code": "busy"}})), UpstreamBroken, "busy"),
        (stream(b"data: <html>\n\n"), UpstreamBroken, "upstream_invalid_response"),
        (stream(usage_event({"prompt_tokens": 1})), UpstreamBroken, "upstream_cut"),
    ],
)
async def test_what_is_no_stream(answer: Any, kind: type[UpstreamFailed], code: str) -> None:
    answer = again(answer)
    with pytest.raises(kind) as caught:
        await open_it(answer)
    assert caught.value.code == code
    assert getattr(answer, "closed", 1) == 1


@pytest.mark.parametrize("kind", [b"text/event-stream", b"text/event-stream; charset=utf-8", b"Text/Event-Stream"])
async def test_a_stream_by_any_spelling(kind: bytes) -> None:
    answer = Answer(list(spoken("a")), headers=[(EVENT_STREAM[0][0], kind)])
    assert (await open_it(answer)).first == delta("a")
