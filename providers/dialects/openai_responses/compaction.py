"""Compacting a conversation: `POST /responses/compact` (OpenAI's reference, November 2026).

The result holds an item that only the vendor who wrote it can read, so this passes through and is never translated.
For a model whose provider doesn't compact, a summary is asked for instead; it travels in an item of the same type
(`signatures`), which this gateway reads back as a message of the user's.
"""

from collections.abc import Iterator

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects import complaints
from providers.dialects.codec import Facts
from providers.dialects.openai_responses.keeping import with_history
from providers.dialects.openai_responses.signatures import Carried, wrap
from providers.dialects.openai_responses.usage import WireUsage, read_usage
from providers.dialects.openai_responses.wire import ANSWERED, BROKEN, KIND, OBJECT, TEXT, raw_of

_REQUEST = (
    "Summarise this conversation so that it can go on from your summary alone. Keep what was asked, decided and found, "
    "names, numbers and quotations that still matter, results of tools, and what is still to be done. "
    "Answer with the summary only."
)
_PREFACE = "Summary of the conversation so far:\n\n"
_KEPT_FIELDS = frozenset({"model", "input", "instructions", "max_cost_usd"})


class _Compacted(msgspec.Struct):
    output: list[msgspec.Raw]
    usage: WireUsage | None = None


class _Summarised(msgspec.Struct):
    id: str
    created_at: int
    output: list[msgspec.Raw]
    usage: msgspec.Raw = msgspec.Raw(b"null")


_items = msgspec.json.Decoder(list[msgspec.Raw])
_compacted = msgspec.json.Decoder(_Compacted)
_summarised = msgspec.json.Decoder(_Summarised)


def read_facts(body: bytes) -> Facts:
    """Return the usage of a compaction. Raises UpstreamBroken where the bytes are none."""
    try:
        wire = _compacted.decode(body)
    except BROKEN as error:
        raise UpstreamBroken("the provider's answer is no compaction") from error
    size = sum(len(bytes(item)) for item in wire.output)
    return Facts(usage=read_usage(wire.usage), finish_reason="stop", output_bytes=size)


def summary_request(body: bytes) -> bytes:
    """Return the request of a response that sums up a conversation. Raises InvalidRequest."""
    fields = complaints.decode(OBJECT, body)
    asked = msgspec.json.encode({name: raw for name, raw in fields.items() if name in _KEPT_FIELDS})
    given = OBJECT.decode(with_history(asked, ()))["input"]
    items = [*_items.decode(given), raw_of({"type": "message", "role": "user", "content": _REQUEST})]
    return msgspec.json.encode(OBJECT.decode(asked) | {"input": raw_of(items), "store": raw_of(False)})


def compacted(response: bytes) -> bytes:
    """Return the compaction that a response with a summary comes to. Raises UpstreamBroken where it holds none."""
    try:
        wire = _summarised.decode(response)
        summary = "".join(_texts_of(wire.output))
    except BROKEN as error:
        raise UpstreamBroken("the provider's answer is no summary") from error
    if not summary.strip():
        raise UpstreamBroken("the provider's answer is no summary")
    stem = wire.id.partition("_")[2] or wire.id
    sealed = wrap(Carried(summary=_PREFACE + summary))
    return msgspec.json.encode(
        {
            "id": wire.id,
            "object": "response.compaction",
            "created_at": wire.created_at,
            "output": [{"id": f"cmp_{stem}_0", "type": "compaction", "encrypted_content": sealed}],
            "usage": wire.usage,
        }
    )


def _texts_of(output: list[msgspec.Raw]) -> Iterator[str]:
    for item in output:
        content = ANSWERED.decode(item).content if KIND.decode(item).type == "message" else None
        if isinstance(content, str):
            yield content
            continue
        for part in content or ():
            if KIND.decode(part).type == "output_text":
                yield TEXT.decode(part).text
