"""The journey around a call that carries an `Idempotency-Key`: made once, answered as often as it is asked for.

The first to come claims the key and makes the call; the others wait for its answer. Only a success is kept: after an
error, a cut stream or a caller who hung up the key is free, and another try is a real one. A key belongs to the
virtual key it came with, and stands for one request: method, path, query and body.
"""

import asyncio
import hashlib
import logging
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.idempotency.base import Answer, AnswerStore, Bounds, Kept, Running
from gateway.idempotency.lease import Lease
from gateway.idempotency.memory import MemoryAnswers
from gateway.idempotency.redis import RedisAnswers, connect
from gateway.idempotency.streams import KeptChunks, ReplayedChunks
from gateway.messages import Incoming, Reply
from kernel import tasks
from kernel.clock import Deadline
from kernel.errors import IdempotencyConflict, IdempotencyInProgress, InvalidRequest, Unavailable
from tenants.keys import Caller

HEADER = b"idempotency-key"
REPLAYED = (b"idempotency-replayed", b"true")
RETRY_AFTER_S = 5.0
DIGEST_BYTES = 32
HASHED_INLINE_BYTES_MAX = 1 << 20  # about a millisecond; a larger body is read on a thread
_VISIBLE = re.compile(rb"[\x21-\x7e]{1,255}\Z")

logger = logging.getLogger("gateway.idempotency")
Serve = Callable[[], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What `once` works with: one a worker."""

    store: AnswerStore
    bounds: Bounds = field(default_factory=Bounds)

    async def aclose(self) -> None:
        """Let go of the store."""
        await self.store.aclose()


def build_idempotency(redis_url: str) -> Idempotency:
    """Return answers kept in Redis, without a URL in the process."""
    bounds = Bounds()
    store: AnswerStore = RedisAnswers(connect(redis_url), bounds) if redis_url else MemoryAnswers(bounds)
    return Idempotency(store, bounds)


async def once(
    answers: Idempotency,
    caller: Caller,
    incoming: Incoming,
    request_id: str,
    serve: Serve,
    *,
    complete: Callable[[], None],
) -> Reply:
    """Serve a request, or answer as it was answered before. One without a key is served and nothing else.

    `complete` does what is left to do on an answer at the end of a turn: what is kept has to be whole.

    Raises InvalidRequest for a key that is none, IdempotencyConflict for one of another request,
    IdempotencyInProgress where the first answer can't be given, Unavailable where nobody can tell.
    """
    value = incoming.headers.get(HEADER)
    if value is None or incoming.method != "POST":
        return await serve()
    name, fingerprint = _name(caller, value), await _fingerprint(incoming)
    found = await _claim_or_wait(answers, name, fingerprint)
    if isinstance(found, Running):
        return await _serve_first(answers, Lease(answers.store, name, found, answers.bounds), serve, complete)
    logger.debug("answered as before", extra={"request_id": request_id})
    return _replay(found)


def _name(caller: Caller, value: bytes) -> bytes:
    if not _VISIBLE.match(value):
        raise InvalidRequest(
            "An Idempotency-Key has 1 to 255 visible ASCII characters.", code="invalid_idempotency_key"
        )
    return b"%d:%s" % (caller.key_id, hashlib.blake2b(value, digest_size=DIGEST_BYTES).hexdigest().encode())


async def _fingerprint(incoming: Incoming) -> bytes:
    if len(incoming.body) > HASHED_INLINE_BYTES_MAX:
        return await asyncio.to_thread(_digest, incoming)
    return _digest(incoming)


def _digest(incoming: Incoming) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    files = incoming.upload.digest() if incoming.upload is not None else b""
    for part in (incoming.method.encode(), incoming.path.encode(), incoming.query.encode(), incoming.body, files):
        digest.update(b"%d:" % len(part))  # so that no two requests read alike
        digest.update(part)
    return digest.digest()


async def _claim_or_wait(answers: Idempotency, name: bytes, fingerprint: bytes) -> Running | Kept:
    """Return the claim once it is ours, or what became of the first call."""
    claim = Running(fingerprint, os.urandom(16))
    deadline = Deadline.after(answers.bounds.wait_s_max)
    while True:
        holder = await _claim(answers.store, name, claim)
        if holder is None:
            return claim
        if holder.fingerprint != fingerprint:
            raise IdempotencyConflict("This Idempotency-Key was used before, for another request.")
        if isinstance(holder, Kept):
            return holder
        left_s = deadline.remaining_s()
        if not left_s:
            message = "The first request with this Idempotency-Key is still being answered."
            raise IdempotencyInProgress(message, retry_after_s=RETRY_AFTER_S)
        await answers.store.changed(name, holder, timeout_s=left_s)


async def _claim(store: AnswerStore, name: bytes, claim: Running) -> Running | Kept | None:
    """Claim a name. Where nobody is there any more to hear of it, a claim that came through all the same is undone."""
    try:
        return await store.claim(name, claim)
    except (Unavailable, asyncio.CancelledError):
        tasks.spawn(_undo(store, name, claim), name="idempotency-undo")
        raise


async def _undo(store: AnswerStore, name: bytes, claim: Running) -> None:
    try:
        await store.release(name, claim)
    except Unavailable:
        logger.debug("a claim could not be undone; it ends with its lease")


async def _serve_first(answers: Idempotency, lease: Lease, serve: Serve, complete: Callable[[], None]) -> Reply:
    try:
        reply = await serve()
        complete()
    except BaseException:  # whatever ends the call, a caller who hangs up included, it ends the claim
        await lease.release()
        raise
    if not 200 <= reply.status < 300:
        await lease.release()
        return reply
    # The edge adds to the headers later on; what it adds is each request's own.
    head = Answer(reply.status, tuple(reply.headers), b"", streamed=reply.chunks is not None)
    bytes_max = answers.bounds.answer_bytes_max
    if reply.chunks is not None:
        reply.chunks = KeptChunks(reply.chunks, head=head, lease=lease, bytes_max=bytes_max)
        return reply
    answer = Answer(head.status, head.headers, reply.body, streamed=False)
    await lease.keep(answer if answer.size_bytes <= bytes_max else None)
    return reply


def _replay(kept: Kept) -> Reply:
    answer = kept.answer
    if answer is None:
        message = "The request was answered; its answer was too large to be kept, and it is not made again."
        error = IdempotencyInProgress(message, code="idempotency_answer_too_large")
        error.headers = [(b"x-should-retry", b"false")]  # clients try a 409 again by themselves
        raise error
    headers = [*answer.headers, REPLAYED]
    if answer.streamed:
        return Reply(answer.status, headers, chunks=ReplayedChunks(answer.body))
    return Reply(answer.status, headers, body=answer.body)
