"""Relaying one answer over a socket: started, deltas with their running cost, and how it ended with what it cost."""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from gateway.endpoints import websocket_frames as frames
from gateway.endpoints import websocket_turn as turns
from gateway.endpoints.websocket_history import History, too_long
from gateway.endpoints.websocket_line import Line, PeerGone
from gateway.endpoints.websocket_turn import Turn
from gateway.messages import Headers, Reply
from gateway.plane import DataPlane
from kernel.errors import GatewayError, InternalError
from kernel.money import format_usd

logger = logging.getLogger("gateway.websocket")


@dataclass(frozen=True, slots=True)
class Answering:
    """What a turn is answered with. `headers` are the caller's own facts, sent along with every call."""

    plane: DataPlane
    line: Line
    history: History
    headers: Headers

    async def answer(self, turn: Turn) -> None:
        """Relay one answer to its end. It ends in a frame unless it is cancelled, which settles it too."""
        try:
            await self._relay(turn)
        except GatewayError as error:
            await self._tell_failure(turn, error)
        except PeerGone:
            return  # the server notices too, and closes the conversation
        except Exception:
            logger.exception("unexpected error", extra={"request_id": turn.request_id})
            failure = InternalError("The gateway failed to serve this turn; its log has the details.")
            await self._tell_failure(turn, failure)

    async def tell_cancelled(self, turn: Turn) -> None:
        """Tell of an answer that was cancelled, and of what it cost until then. Raises PeerGone."""
        settled = self._settle(turn)
        await self.line.send(
            frames.Cancelled(
                request_id=turn.request_id,
                usage=frames.describe_usage(settled.usage),
                cost_usd=_usd(settled.cost_nanos),
                conversation_cost_usd=_usd(self.history.cost_nanos),
                target=settled.target,
                attempts=settled.attempts,
                id=turn.id,
            )
        )

    async def _relay(self, turn: Turn) -> None:
        reply = await turns.open_answer(self.plane, turn, self.headers)
        assert reply.chunks is not None, "a call that asks for a stream gets one"
        async with aclosing(reply.chunks) as chunks:
            await self._relay_pieces(turn, reply, chunks)
        turn.ending = True
        self.history.keep(turn.question, turn.answer.message())
        await self._tell_done(turn)

    async def _relay_pieces(self, turn: Turn, reply: Reply, chunks: AsyncIterator[bytes]) -> None:
        target = turns.target_of(reply)
        running = turns.begin_cost(self.plane, turn, target=target)
        await self.line.send(frames.Started(request_id=turn.request_id, target=target, id=turn.id))
        reader = turns.PieceReader()
        async for data in chunks:
            for piece in reader.feed(data):
                turn.answer.add(piece)
                if turn.answer.size_bytes > self.history.bytes_max:
                    raise too_long(f"{self.history.bytes_max} bytes")
                await self.line.send(turns.describe_piece(turn, piece, running))

    async def _tell_done(self, turn: Turn) -> None:
        settled = self._settle(turn)
        await self.line.send(
            frames.Done(
                request_id=turn.request_id,
                finish_reason=settled.finish_reason,
                usage=frames.describe_usage(settled.usage),
                cost_usd=_usd(settled.cost_nanos),
                conversation_cost_usd=_usd(self.history.cost_nanos),
                target=settled.target,
                attempts=settled.attempts,
                latency_ms=turn.latency_ms(),
                id=turn.id,
            )
        )

    async def _tell_failure(self, turn: Turn, error: GatewayError) -> None:
        turn.ending = True
        settled = self._settle(turn)
        failed = frames.describe_error(error, request_id=turn.request_id, client_id=turn.id)
        failed.cost_usd = _usd(settled.cost_nanos)
        failed.conversation_cost_usd = _usd(self.history.cost_nanos)
        with suppress(PeerGone):
            await self.line.send(failed)

    def _settle(self, turn: Turn) -> turns.Settled:
        """Return what the ledger says of a turn that is over, and count it."""
        settled = turns.settled(self.plane, turn)
        self.history.add_cost(settled.cost_nanos)
        return settled


def _usd(cost_nanos: int | None) -> str | None:
    return None if cost_nanos is None else format_usd(cost_nanos)
