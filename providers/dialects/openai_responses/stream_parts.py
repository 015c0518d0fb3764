"""What is open in a Responses stream that is being written, and the events that open, grow and close it.

The sequence of each kind of item is OpenAI's (streaming reference, November 2026).
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from providers.dialects.conversation import (
    Citation,
    RefusalDelta,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolDelta,
    ToolStarted,
)
from providers.dialects.openai_responses import framing
from providers.dialects.openai_responses.citations import write_citation
from providers.dialects.openai_responses.output_items import (
    Item,
    ItemIds,
    call_item,
    carrier_of,
    message_item,
    reasoning_item,
    text_part,
)
from providers.dialects.openai_responses.wire import raw_of

_quote = msgspec.json.Encoder().encode
_list = msgspec.json.Decoder(list[msgspec.Raw])


class Transcript:
    """Numbers events and items, and keeps finished items for the response at the end."""

    __slots__ = ("_items", "_said", "_sequence_number", "ids", "item_count")

    def __init__(self, ids: ItemIds) -> None:
        self.ids = ids
        self.item_count = 0
        self._items: dict[int, msgspec.Raw] = {}
        self._said: list[bytes] = []
        self._sequence_number = 0

    @property
    def output(self) -> list[msgspec.Raw]:
        """Return the finished items in the order they began."""
        return [self._items[index] for index in sorted(self._items)]

    def next_number(self) -> int:
        """Return the number of the next event, and count it."""
        number = self._sequence_number
        self._sequence_number += 1
        return number

    def say(self, kind: str, **fields: Any) -> None:
        """Write an event."""
        data = msgspec.json.encode({"type": kind, "sequence_number": self.next_number(), **fields})
        self._said.append(framing.encode(kind, data))

    def say_delta(self, prepared: bytes, text: str, ending: bytes = b"") -> None:
        """Write a delta of which all but the text and the number is prepared; the hot way."""
        self._said.append(b'%s%s%s,"sequence_number":%d}\n\n' % (prepared, _quote(text), ending, self._sequence_number))
        self._sequence_number += 1

    def open_item(self, item: Item) -> int:
        """Write that an item begins, and return its index."""
        index = self.item_count
        self.item_count += 1
        self.say("response.output_item.added", output_index=index, item=item)
        return index

    def close_item(self, index: int, item: Item) -> None:
        """Write that an item is finished."""
        raw = raw_of(item)
        self._items[index] = raw
        self.say("response.output_item.done", output_index=index, item=raw)

    def say_items(self, items: Iterable[Item]) -> None:
        """Write items that come whole."""
        for item in items:
            self.close_item(self.open_item(item), item)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        said, self._said = self._said, []
        return said[0] if len(said) == 1 else b"".join(said)


class OpenMessage:
    """A message of the assistant's under way."""

    __slots__ = ("_transcript", "content", "index", "item_id")

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self.content: list[Any] = []
        self.item_id = transcript.ids.item("msg", transcript.item_count)
        self.index = transcript.open_item(message_item(self.item_id, [], "in_progress"))

    def close(self, status: str) -> None:
        """Write that it is finished."""
        self._transcript.close_item(self.index, message_item(self.item_id, self.content, status))


class OpenText:
    """A text of a message under way."""

    __slots__ = ("_citations", "_logprobs", "_place", "_prepared", "_said", "_transcript", "message")

    def __init__(self, transcript: Transcript, message: OpenMessage) -> None:
        self._transcript = transcript
        self.message = message
        self._place = _place(message.index, message.item_id) | {"content_index": len(message.content)}
        self._prepared = _prepare("response.output_text.delta", self._place)
        self._said: list[str] = []
        self._citations: list[Citation] = []
        self._logprobs: list[msgspec.Raw] = []
        transcript.say("response.content_part.added", **self._place, part=text_part(Text("")))

    def add(self, event: TextDelta) -> None:
        """Write more words."""
        self._said.append(event.text)
        if event.logprobs is None:
            self._transcript.say_delta(self._prepared, event.text, b',"logprobs":[]')
        else:
            self._logprobs += _list.decode(event.logprobs)
            self._transcript.say_delta(self._prepared, event.text, b',"logprobs":' + bytes(event.logprobs))

    def cite(self, citation: Citation) -> None:
        """Write what the text rests on, where the dialect can say it."""
        annotation = write_citation(citation, text_length=sum(map(len, self._said)))
        if annotation is None:
            return
        fields = {"annotation_index": len(self._citations), "annotation": annotation}
        self._transcript.say("response.output_text.annotation.added", **self._place, **fields)
        self._citations.append(citation)

    def close(self, status: str) -> None:
        """Write that it is finished; the message stays open."""
        text, logprobs = "".join(self._said), raw_of(self._logprobs)
        part = text_part(Text(text, citations=tuple(self._citations)), logprobs)
        self._transcript.say("response.output_text.done", **self._place, text=text, logprobs=logprobs)
        self._transcript.say("response.content_part.done", **self._place, part=part)
        self.message.content.append(part)


class OpenRefusal:
    """A refusal in a message under way."""

    __slots__ = ("_place", "_prepared", "_said", "_transcript", "message")

    def __init__(self, transcript: Transcript, message: OpenMessage) -> None:
        self._transcript = transcript
        self.message = message
        self._place = _place(message.index, message.item_id) | {"content_index": len(message.content)}
        self._prepared = _prepare("response.refusal.delta", self._place)
        self._said: list[str] = []
        transcript.say("response.content_part.added", **self._place, part={"type": "refusal", "refusal": ""})

    def add(self, event: RefusalDelta) -> None:
        """Write more words."""
        self._said.append(event.text)
        self._transcript.say_delta(self._prepared, event.text)

    def close(self, status: str) -> None:
        """Write that it is finished; the message stays open."""
        part = {"type": "refusal", "refusal": "".join(self._said)}
        self._transcript.say("response.refusal.done", **self._place, refusal=part["refusal"])
        self._transcript.say("response.content_part.done", **self._place, part=part)
        self.message.content.append(part)


class OpenThought:
    """A reasoning item under way: its words as a summary, its signature when it closes."""

    __slots__ = ("_index", "_item_id", "_place", "_prepared", "_said", "_thought", "_transcript")

    def __init__(self, transcript: Transcript, first: ThinkingDelta) -> None:
        self._transcript = transcript
        self._thought = Thinking(id=first.id)
        opening = reasoning_item(transcript.ids.item("rs", transcript.item_count), self._thought, "in_progress")
        opening["encrypted_content"] = None
        self._item_id = str(opening["id"])
        self._index = transcript.open_item(opening)
        self._place = _place(self._index, self._item_id) | {"summary_index": 0}
        self._prepared = _prepare("response.reasoning_summary_text.delta", self._place)
        self._said: list[str] = []

    def add(self, event: ThinkingDelta) -> None:
        """Write more words, and keep what comes of the signature."""
        self._thought = Thinking(
            signature=self._thought.signature + event.signature,
            redacted=self._thought.redacted + event.redacted,
            dialect=event.dialect or self._thought.dialect,
        )
        if event.text:
            if not self._said:
                opening = {"type": "summary_text", "text": ""}
                self._transcript.say("response.reasoning_summary_part.added", **self._place, part=opening)
            self._said.append(event.text)
            self._transcript.say_delta(self._prepared, event.text)

    def close(self, status: str) -> None:
        """Write that it is finished."""
        text = "".join(self._said)
        if text:
            part = {"type": "summary_text", "text": text}
            self._transcript.say("response.reasoning_summary_text.done", **self._place, text=text)
            self._transcript.say("response.reasoning_summary_part.done", **self._place, part=part)
        item = reasoning_item(self._item_id, msgspec.structs.replace(self._thought, text=text), status)
        self._transcript.close_item(self._index, item)


class OpenCall:
    """A function call under way; a signature is told before it, since only its item can carry one."""

    __slots__ = ("_call", "_index", "_item_id", "_place", "_prepared", "_said", "_transcript")

    def __init__(self, transcript: Transcript, first: ToolStarted) -> None:
        self._transcript = transcript
        call_id = first.id or transcript.ids.item("call", transcript.item_count)
        self._call = ToolCall(call_id, first.name, "", signature=first.signature, dialect=first.dialect)
        transcript.say_items(carrier_of(transcript.ids.item("rs", transcript.item_count), self._call))
        self._item_id = transcript.ids.item("fc", transcript.item_count)
        self._index = transcript.open_item(call_item(self._item_id, self._call, "in_progress"))
        self._place = _place(self._index, self._item_id)
        self._prepared = _prepare("response.function_call_arguments.delta", self._place)
        self._said: list[str] = []

    def add(self, event: ToolDelta) -> None:
        """Write more of the arguments."""
        self._said.append(event.arguments)
        self._transcript.say_delta(self._prepared, event.arguments)

    def close(self, status: str) -> None:
        """Write that it is finished."""
        arguments = "".join(self._said)
        done = "response.function_call_arguments.done"
        self._transcript.say(done, **self._place, name=self._call.name, arguments=arguments)
        item = call_item(self._item_id, msgspec.structs.replace(self._call, arguments=arguments), status)
        self._transcript.close_item(self._index, item)


def _place(index: int, item_id: str) -> dict[str, Any]:
    return {"item_id": item_id, "output_index": index}


def _prepare(kind: str, place: dict[str, Any]) -> bytes:
    """Return a delta's event up to its text."""
    data = msgspec.json.encode({"type": kind, **place})
    return framing.encode(kind, data).removesuffix(b"}\n\n") + b',"delta":'
