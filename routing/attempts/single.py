"""One try at one target: send, read as far as is needed to know that it worked, translate what went wrong."""

import msgspec

from kernel.errors import UpstreamBroken, UpstreamRefused
from providers.adapters.base import Adapter, Exchange, UpstreamAnswer, translate
from providers.adapters.http import UpstreamIOError
from providers.dialects.codec import CostOf, Facts, StreamReader
from routing.attempts.wire import Wire

ANSWER_BYTES_MAX = 64 * 1024 * 1024
ERROR_BYTES_MAX = 1024 * 1024


class WholeAnswer(msgspec.Struct, frozen=True):
    """A unary answer that is one: its bytes for the client and what accounting needs of them."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    facts: Facts


class OpenStream(msgspec.Struct, frozen=True):
    """A stream whose first bytes are in; closing the answer cancels the upstream."""

    answer: UpstreamAnswer
    first: bytes
    reader: StreamReader


async def fetch_whole(adapter: Adapter, exchange: Exchange, wire: Wire) -> WholeAnswer:
    """Return a unary answer. Raises UpstreamFailed; cancelling it cancels the upstream."""
    try:
        answer = await adapter.send(exchange)
        try:
            await _refuse_errors(adapter, exchange, answer)
            body = await answer.read(ANSWER_BYTES_MAX)
        finally:
            answer.close()
    except UpstreamIOError as error:
        raise translate(error, provider=exchange.connection.slug, region=exchange.region) from error
    except UpstreamRefused as refused:
        raise wire.own_words(refused) from None
    told, facts = wire.finish(body)
    headers = answer.headers if wire.back is None else [(b"content-type", b"application/json")]
    return WholeAnswer(headers=headers, body=told, facts=facts)


async def open_stream(adapter: Adapter, exchange: Exchange, wire: Wire, cost_of: CostOf) -> OpenStream:
    """Return a stream once it has something for the client, so that a failure before that can go elsewhere.

    Raises UpstreamFailed; cancelling it cancels the upstream.
    """
    try:
        answer = await adapter.send(exchange)
        try:
            await _refuse_errors(adapter, exchange, answer)
            reader = wire.reader(cost_of)
            _require_stream(answer, reader)
            first = await _read_first(answer, reader)
        except BaseException:
            answer.close()
            raise
    except UpstreamIOError as error:
        raise translate(error, provider=exchange.connection.slug, region=exchange.region) from error
    except UpstreamRefused as refused:
        raise wire.own_words(refused) from None
    return OpenStream(answer=answer, first=first, reader=reader)


async def _refuse_errors(adapter: Adapter, exchange: Exchange, answer: UpstreamAnswer) -> None:
    if answer.status == 200:
        return
    if answer.status < 300:
        raise UpstreamBroken(f"the provider answered {answer.status} without an answer")
    raise adapter.explain(exchange, answer, await answer.read(ERROR_BYTES_MAX))


def _require_stream(answer: UpstreamAnswer, reader: StreamReader) -> None:
    content_type = (answer.header(b"content-type") or b"").lower()
    if not content_type.startswith(reader.accepts):
        shown = content_type.decode("latin-1")[:60] or "no content type"
        raise UpstreamBroken(f"the provider was asked for a stream and sent {shown}")


async def _read_first(answer: UpstreamAnswer, reader: StreamReader) -> bytes:
    while (data := await answer.next_chunk()) is not None:
        if first := reader.feed(data):
            return first
        if reader.failure is not None:
            raise reader.failure
        if reader.done:
            return b""
    return reader.end()
