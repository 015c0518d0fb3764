"""Keeping an answer on its way out: before the client has the last of it, so that it can go on from it at once.

An answer that can't be kept goes out all the same: the call was made and is paid for.
"""

import asyncio
import logging

from gateway.messages import Chunks, Headers, Reply
from gateway.responses.turn import Save, Turn, finish
from kernel import clock
from kernel.errors import Unavailable
from providers.dialects.openai_responses import keeping

ID_CHARACTERS_MAX = 128
SAVE_TIMEOUT_S = 5.0
NOT_KEPT: Headers = [(b"x-gateway-store", b"failed")]

logger = logging.getLogger("gateway.responses")


async def keep_reply(save: Save | None, turn: Turn, reply: Reply) -> Reply:
    """Return the answer to a turn, kept: a whole one now, a stream before its last event goes out.

    `save` is None for one that is not to be kept. A whole answer that can't be kept says `store: false`, and a header
    says why; any other stays as its provider wrote it, but for what it goes on from.
    """
    if reply.chunks is not None:
        reply.chunks = reply.chunks if save is None else KeptResponse(reply.chunks, turn, save)
        return reply
    is_kept = save is not None and await _keep(save, turn, reply.body)
    if save is not None and not is_kept:
        reply.headers += NOT_KEPT
    if turn.previous_id or is_kept != turn.is_kept:
        reply.body = keeping.told(reply.body, previous_id=turn.previous_id, store=is_kept)
    return reply


class KeptResponse:
    """Passes a stream of whole events on and holds the last one back until the response is kept.

    Whoever iterates must call `aclose`.
    """

    __slots__ = ("_chunks", "_save", "_turn")

    def __init__(self, chunks: Chunks, turn: Turn, save: Save) -> None:
        self._chunks = chunks
        self._turn = turn
        self._save = save

    @property
    def whole(self) -> bool:
        """Tell whether all was handed out and the answer is a success."""
        return self._chunks.whole

    def __aiter__(self) -> "KeptResponse":
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        await keep_response(self._save, self._turn, chunk)
        return chunk

    async def aclose(self) -> None:
        """Be done with the stream."""
        await self._chunks.aclose()


async def keep_response(save: Save, turn: Turn, events: bytes) -> None:
    """Keep the response that ends well among these whole events, if one does."""
    response = keeping.ended_response(events)
    if response is not None:
        await _keep(save, turn, response)


async def _keep(save: Save, turn: Turn, response: bytes) -> bool:
    """Keep a response, and tell whether it is kept."""
    stored = finish(turn, response, clock.now())
    if stored is None or len(stored.id) > ID_CHARACTERS_MAX:
        logger.warning("a response without a usable id is not kept")
        return False
    try:
        async with asyncio.timeout(SAVE_TIMEOUT_S):
            await save(stored)
    except (Unavailable, TimeoutError) as error:
        logger.warning("a response could not be kept", extra={"response": stored.id, "reason": type(error).__name__})
        return False
    return True
