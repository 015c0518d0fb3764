"""A client's stream of chat chunks, written from events.

The order is OpenAI's: the role, the deltas, the finish reason, the usage where it was asked for, `[DONE]`; with usage
asked for, every other chunk has `"usage":null` (specification 2.3.0). The usual chunk, more of a text, is put together
from prepared bytes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kernel.errors import GatewayError
from providers.dialects import sse
from providers.dialects.canonical import Dialect, Usage
from providers.dialects.codec import Asked, CostOf
from providers.dialects.conversation import (
    CitationAdded,
    Ended,
    Event,
    Failed,
    Finished,
    Image,
    Opaque,
    PartAdded,
    PartEnded,
    RefusalDelta,
    Started,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolDelta,
    ToolStarted,
    UsageReport,
)
from providers.dialects.openai_chat.annotations import write_annotation
from providers.dialects.openai_chat.answering import write_call, write_image, write_logprobs
from providers.dialects.openai_chat.errors import encode_error
from providers.dialects.openai_chat.finishes import write_finish
from providers.dialects.openai_chat.parts import Fields
from providers.dialects.openai_chat.stream import DONE
from providers.dialects.openai_chat.thoughts import detail_of_call, is_detailed, write_details
from providers.dialects.openai_chat.usage import write_usage

_encode_json = msgspec.json.Encoder().encode
_FEW = 3
_NO_FINISH = b'},"logprobs":null,"finish_reason":null}]'


class _Choice:
    """What has to be remembered of a choice: the open thought, where its texts begin, the numbers of its calls."""

    __slots__ = ("before_content", "calls", "is_refused", "lengths", "thought", "thought_part", "thoughts")

    def __init__(self, before_content: bytes) -> None:
        self.before_content = before_content
        self.calls: dict[int, int] = {}
        self.lengths: dict[int, int] = {}
        self.is_refused = False
        self.thought: Thinking | None = None
        self.thought_part = -1
        self.thoughts = 0


class ChatEncoder:
    """Writes the chunks of a chat completion; a `codec.StreamEncoder`."""

    __slots__ = ("_asked", "_choices", "_cost_of", "_prefix", "_suffix", "_tail", "_usage")

    def __init__(self, asked: Asked, cost_of: CostOf) -> None:
        self._asked = asked
        self._cost_of = cost_of
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None
        self._tail = b',"usage":null}\n\n' if asked.head.wants_stream_usage else b"}\n\n"
        self._suffix = _NO_FINISH + self._tail
        self._prefix = self._write_prefix("", "")

    def encode(self, events: list[Event]) -> bytes:
        """Return the chunks that say these events."""
        if len(events) <= _FEW:  # the usual case, for which a list would cost more than it saves
            said = b""
            for event in events:
                said += _WRITERS[type(event)](self, event)
            return said
        return b"".join([_WRITERS[type(event)](self, event) for event in events])

    def fail(self, error: GatewayError, *, request_id: str) -> bytes:
        """Return the event that ends the stream with an error."""
        return sse.encode(encode_error(error, request_id=request_id))

    def _write_prefix(self, answer_id: str, model: str) -> bytes:
        fields = {
            "id": answer_id or self._asked.answer_id,
            "object": "chat.completion.chunk",
            "created": self._asked.created_at_s,
            "model": model or self._asked.model,
            "system_fingerprint": None,
        }
        return b"data: " + _encode_json(fields)[:-1] + b',"choices":['

    def _start(self, event: Started) -> bytes:
        self._prefix = self._write_prefix(event.id, event.model)
        return self._begin(0)

    def _begin(self, choice: int) -> bytes:
        """Begin a choice with its role, where it has not begun."""
        if choice in self._choices:
            return b""
        self._choices[choice] = _Choice(self._prefix + b'{"index":%d,"delta":{"content":' % choice)
        return self._chunk(choice, {"role": "assistant", "content": "", "refusal": None})

    def _chunk(self, choice: int, delta: Fields, finish: str | None = None, **more: Any) -> bytes:
        fields = {"index": choice, "delta": delta, "logprobs": None, "finish_reason": finish, **more}
        return self._prefix + _encode_json(fields) + b"]" + self._tail

    def _write_text(self, event: TextDelta) -> bytes:
        choice = self._choices.get(event.choice)
        if choice is None or choice.thought is not None or event.logprobs is not None:
            return self._write_other_text(event)
        lengths = choice.lengths
        lengths[event.part] = lengths.get(event.part, 0) + len(event.text)
        return choice.before_content + _encode_json(event.text) + self._suffix

    def _write_other_text(self, event: TextDelta) -> bytes:
        """Write a text that begins a choice, ends a thought, or has its tokens beside it."""
        before = self._begin(event.choice) + self._end_thought(event.choice)
        lengths = self._choices[event.choice].lengths
        lengths[event.part] = lengths.get(event.part, 0) + len(event.text)
        logprobs = write_logprobs(event.logprobs)
        fields = {"index": event.choice, "delta": {"content": event.text}, "logprobs": logprobs, "finish_reason": None}
        return before + self._prefix + _encode_json(fields) + b"]" + self._tail

    def _write_refusal(self, event: RefusalDelta) -> bytes:
        before = self._begin(event.choice) + self._end_thought(event.choice)
        self._choices[event.choice].is_refused = True
        return before + self._chunk(event.choice, {"refusal": event.text})

    def _write_thought(self, event: ThinkingDelta) -> bytes:
        before = self._begin(event.choice)
        choice = self._choices[event.choice]
        if choice.thought is not None and choice.thought_part != event.part:
            before += self._end_thought(event.choice)
        known = choice.thought or Thinking()
        choice.thought_part = event.part
        choice.thought = Thinking(
            text=known.text + event.text,
            signature=known.signature + event.signature,
            redacted=known.redacted + event.redacted,
            id=event.id or known.id,
            dialect=event.dialect or known.dialect,
        )
        return before + self._chunk(event.choice, {"reasoning_content": event.text}) if event.text else before

    def _end_thought(self, index: int) -> bytes:
        """End the open thought: what its vendor signed is said in one piece, with all of its text."""
        choice = self._choices[index]
        thought, choice.thought = choice.thought, None
        if thought is None:
            return b""
        number = choice.thoughts
        choice.thoughts += 1
        if not (thought.signature or thought.redacted or thought.id):
            return b""
        return self._chunk(index, {"reasoning_details": write_details(thought, number)})

    def _end_part(self, event: PartEnded) -> bytes:
        choice = self._choices.get(event.choice)
        return self._end_thought(event.choice) if choice is not None and choice.thought_part == event.part else b""

    def _start_call(self, event: ToolStarted) -> bytes:
        before = self._begin(event.choice) + self._end_thought(event.choice)
        calls = self._choices[event.choice].calls
        number = calls[event.part] = len(calls)
        call = ToolCall(event.id, event.name, "", signature=event.signature, dialect=event.dialect)
        fields = {"index": number, **write_call(call)}
        fields["function"] = {"name": event.name, "arguments": ""}
        delta: Fields = {"tool_calls": [fields]}
        if is_detailed(call):
            delta["reasoning_details"] = [detail_of_call(call)]
        return before + self._chunk(event.choice, delta)

    def _write_arguments(self, event: ToolDelta) -> bytes:
        choice = self._choices[event.choice]
        return b'%b{"index":%d,"delta":{"tool_calls":[{"index":%d,"function":{"arguments":%b}}]%b' % (
            self._prefix,
            event.choice,
            choice.calls[event.part],
            _encode_json(event.arguments),
            self._suffix,
        )

    def _write_citation(self, event: CitationAdded) -> bytes:
        before = self._begin(event.choice)
        lengths = self._choices[event.choice].lengths
        base = sum(length for part, length in lengths.items() if part < event.part)
        annotation = write_annotation(event.citation, base=base, length=lengths.get(event.part, 0))
        return before + self._chunk(event.choice, {"annotations": [annotation]}) if annotation else before

    def _write_part(self, event: PartAdded) -> bytes:
        before = self._begin(event.choice) + self._end_thought(event.choice)
        value = event.value
        if isinstance(value, Image):
            return before + self._chunk(event.choice, {"images": [write_image(value)]})
        if isinstance(value, Opaque) and value.dialect is Dialect.OPENAI and value.kind == "audio":
            return before + self._chunk(event.choice, {"audio": value.raw})
        return before  # this dialect has no place for it

    def _finish(self, event: Finished) -> bytes:
        before = self._begin(event.choice) + self._end_thought(event.choice)
        finish = write_finish(event.finish, refused=self._choices[event.choice].is_refused)
        more = {"stop_reason": event.stop_sequence} if event.stop_sequence else {}
        return before + self._chunk(event.choice, {}, finish, **more)

    def _note_usage(self, event: UsageReport) -> bytes:
        self._usage = event.usage
        return b""

    def _end(self, _: Ended) -> bytes:
        if self._usage is None or not self._asked.head.wants_stream_usage:
            return DONE
        usage = write_usage(self._usage)
        cost = self._cost_of(self._usage)
        if cost is not None:
            usage["cost"] = msgspec.Raw(cost)
        return self._prefix + b'],"usage":' + _encode_json(usage) + b"}\n\n" + DONE

    def _say_nothing(self, _: Event) -> bytes:
        return b""


_WRITERS: Mapping[type, Callable[[ChatEncoder, Any], bytes]] = {
    Started: ChatEncoder._start,
    TextDelta: ChatEncoder._write_text,
    RefusalDelta: ChatEncoder._write_refusal,
    ThinkingDelta: ChatEncoder._write_thought,
    ToolStarted: ChatEncoder._start_call,
    ToolDelta: ChatEncoder._write_arguments,
    CitationAdded: ChatEncoder._write_citation,
    PartAdded: ChatEncoder._write_part,
    PartEnded: ChatEncoder._end_part,
    Finished: ChatEncoder._finish,
    UsageReport: ChatEncoder._note_usage,
    Ended: ChatEncoder._end,
    Failed: ChatEncoder._say_nothing,  # whoever reads the events says it, with `fail`
}
