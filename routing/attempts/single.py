"""One try at one target: send, read as far as is needed to know that it worked, translate what went wrong."""

import msgspec

from kernel.errors import UpstreamBroken
from providers.adapters.base import Adapter, Exchange, UpstreamAnswer, translate
from providers.adapters.http import UpstreamIOError
from providers.dialects.openai_chat.response import Answer, decode_answer
from providers.dialects.openai_chat.stream import StreamReader

ANSWER_BYTES_MAX = 64 * 1024 * 1024
ERROR_BYTES_MAX = 1024 * 1024


class WholeAnswer(msgspec.Struct, frozen=True):
    """A unary answer that is one: its bytes as they came and what accounting needs of them."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    facts: Answer


class OpenStream(msgspec.Struct, frozen=True):
    """A stream whose first bytes are in; closing the answer cancels the upstream."""

    answer: UpstreamAnswer
    first: bytes
    reader: StreamReader


async def fetch_whole(adapter: Adapter, exchange: Exchange) -> WholeAnswer:
    """Return a unary answer. Raises UpstreamFailed; cancelling it cancels the upstream."""
    try:
        answer = await adapter.send(exchange)
        try:
            await _refuse_errors(adapter, answer)
            body = await answer.read(ANSWER_BYTES_MAX)
        finally:
            answer.close()
    except UpstreamIOError as error:
        raise translate(error, provider=exchange.connection.slug) from error
    return WholeAnswer(headers=answer.headers, body=body, facts=decode_answer(body))


async def open_stream(adapter: Adapter, exchange: Exchange, reader: StreamReader) -> OpenStream:
    """Return a stream once it has something for the client, so that a failure before that can go elsewhere.

    Raises UpstreamFailed; cancelling it cancels the upstream.
    """
    try:
        answer = await adapter.send(exchange)
        try:
            await _refuse_errors(adapter, answer)
            _require_event_stream(answer)
            first = await _read_first(answer, reader)
        except BaseException:
            answer.close()
            raise
    except UpstreamIOError as error:
        raise translate(error, provider=exchange.connection.slug) from error
    return OpenStream(answer=answer, first=first, reader=reader)


async def _refuse_errors(adapter: Adapter, answer: UpstreamAnswer) -> None:
    if answer.status == 200:
        return
    if answer.status < 300:
        raise UpstreamBroken(f"the provider answered {answer.status} without an answer")
    raise adapter.explain(answer, await answer.read(ERROR_BYTES_MAX))


def _require_event_stream(answer: UpstreamAnswer) -> None:
    content_type = (answer.header(b"content-type") or b"").lower()
    if not content_type.startswith(b"text/event-stream"):
        shown = content_type.decode("latin-1")[:60] or "no content type"
        raise UpstreamBroken(f"the provider was asked for a stream and sent {shown}")


async def _read_first(answer: UpstreamAnswer, reader: StreamReader) -> bytes:
    while (data := await answer.next_chunk()) is not None:
        if first := reader.feed(data):
            return first
        if reader.failure is not None:
            raise reader.failure
    return reader.end()
