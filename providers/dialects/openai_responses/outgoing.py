"""The hub's request as a Responses request, for an upstream that speaks it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from providers.dialects.canonical import Dialect, Feature
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.conversation import HostedTool, Message, OutputFormat, Request, Text, Tool, ToolChoice
from providers.dialects.efforts import effort_of
from providers.dialects.hints import sort_extras
from providers.dialects.openai_responses.asking import LOGPROBS
from providers.dialects.openai_responses.outgoing_items import Item, ItemWriter
from providers.dialects.openai_responses.wire import OBJECT, raw_of, refuse
from providers.dialects.wording import spell

Fields = dict[str, Any]

_SUMMARIES = ("auto", "concise", "detailed")
# Same name and same meaning in chat, so that a chat request keeps them.
_SHARED = ("store", "service_tier", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "verbosity")


def encode_request(request: Request, upstream: Upstream) -> Encoded:
    """Return the body. Raises InvalidRequest for content that the model can't take."""
    draft = _Draft(request, upstream)
    draft.write_conversation()
    draft.write_tools()
    draft.write_settings()
    draft.write_thought()
    draft.write_extras()
    return Encoded(msgspec.json.encode(draft.fields), tuple(draft.unsupported), tuple(draft.ignored))


class _Draft:
    """A body as it grows, with what could not be said in it."""

    def __init__(self, request: Request, upstream: Upstream) -> None:
        self._request = request
        self._upstream = upstream
        self.fields: Fields = {"model": upstream.model}
        self.unsupported: list[str] = []
        self.ignored: list[str] = []

    @property
    def _is_own(self) -> bool:
        return self._request.dialect is Dialect.RESPONSES

    def write_conversation(self) -> None:
        """Write `instructions` and `input`, `stream` and the cap."""
        request = self._request
        instructions, messages = _split(request.messages)
        if instructions:
            self.fields["instructions"] = instructions
        writer = ItemWriter(self._upstream.capabilities, request.dialect)
        items: list[Item] = writer.write(messages, first=len(request.messages) - len(messages))
        self.fields["input"] = items
        if request.stream:
            self.fields["stream"] = True
        cap = request.max_output_tokens if self._upstream.cap is None else self._upstream.cap
        if cap is not None:
            self.fields["max_output_tokens"] = cap

    def write_tools(self) -> None:
        """Write the tools and how they are to be chosen."""
        request = self._request
        if not request.tools:
            return
        if not self._upstream.capabilities.has(Feature.TOOLS):
            self._miss("tools")
            return
        self.fields["tools"] = [self._write_tool(tool, f"tools[{index}]") for index, tool in enumerate(request.tools)]
        if request.tool_choice is not None:
            self.fields["tool_choice"] = _write_choice(request.tool_choice)
        if request.parallel_tool_calls is not None:
            self._set("parallel_tool_calls", request.parallel_tool_calls, Feature.PARALLEL_TOOLS)

    def write_settings(self) -> None:
        """Write what steers the answer, as far as the API has it: no seed, no stop sequences, one choice."""
        request = self._request
        self._set("temperature", request.temperature, Feature.SAMPLING)
        self._set("top_p", request.top_p, Feature.SAMPLING)
        for name in ("frequency_penalty", "presence_penalty"):
            self._set(name, getattr(request, name), Feature.PENALTIES if self._is_own else None)
        self._set("top_logprobs", request.top_logprobs, Feature.LOGPROBS)
        if request.logprobs and not self._is_own:
            self._set("logprobs", [LOGPROBS], Feature.LOGPROBS, field="include")
        self._miss_all(top_k=request.top_k, seed=request.seed, stop=request.stop or None)
        if request.n not in (None, 1):
            self._miss("n")
        if request.output_format is not None:
            self._write_format(request.output_format)

    def write_thought(self) -> None:
        """Write how much the model shall think."""
        asked = self._request.reasoning
        if asked is None:
            return
        effort = asked.effort or (None if asked.budget_tokens is None else effort_of(asked.budget_tokens))
        if not self._upstream.capabilities.has(Feature.REASONING):
            if effort != "none":
                self._miss("reasoning")
            return
        reasoning: Fields = {} if effort is None else {"effort": effort}
        if asked.summary in _SUMMARIES:
            reasoning["summary"] = asked.summary
        if reasoning:
            self.fields["reasoning"] = reasoning

    def write_extras(self) -> None:
        """Write who asks, and the fields that only one dialect has."""
        request = self._request
        if request.user:
            self.fields["user"] = request.user
        if request.metadata is not None:
            self.fields["metadata"] = dict(request.metadata)
        kept = request.extras if self._is_own else _shared(request)
        for name, raw in kept.items():
            self._write_extra(name, raw)
        if not self._is_own:
            self.fields.setdefault("store", False)  # kept at the vendor only for a client who knows that it is
        unsupported, ignored = sort_extras(request, Dialect.RESPONSES)
        self.unsupported += [name for name in unsupported if name not in kept]
        self.ignored += [name for name in ignored if name not in kept]
        if not self._is_own and _is_marked(request):
            self.ignored.append("cache_control")

    def _write_extra(self, name: str, raw: msgspec.Raw) -> None:
        if name == "verbosity":
            self.fields.setdefault("text", {})["verbosity"] = raw
        elif name == "reasoning":
            self.fields["reasoning"] = self.fields.get("reasoning", {}) | OBJECT.decode(raw)
        else:
            self.fields[name] = raw

    def _write_tool(self, tool: Tool | HostedTool, at: str) -> Any:
        if isinstance(tool, HostedTool):
            if tool.dialect is not Dialect.RESPONSES:
                raise refuse(f"Only another vendor has the tool '{tool.kind}'.", param=at, code="unsupported_content")
            return tool.raw
        strict = tool.strict if tool.strict is not None or self._is_own else False  # left out, it means strict here
        empty = raw_of({"type": "object", "properties": {}})
        wire: Fields = {"type": "function", "name": tool.name, "parameters": tool.parameters or empty, "strict": strict}
        if tool.description:
            wire["description"] = tool.description
        return wire

    def _write_format(self, wanted: OutputFormat) -> None:
        needed = {"json_object": Feature.JSON_OBJECT, "json_schema": Feature.JSON_SCHEMA}.get(wanted.kind)
        if needed is not None and not self._upstream.capabilities.has(needed):
            self._miss("response_format")
            return
        wire: Fields = {"type": wanted.kind}
        if wanted.kind == "json_schema":
            wire |= {"name": wanted.name or "answer", "schema": wanted.schema}
            optional = {"description": wanted.description or None, "strict": wanted.strict}
            wire |= {name: value for name, value in optional.items() if value is not None}
        self.fields.setdefault("text", {})["format"] = wire

    def _set(self, name: str, value: Any, needed: Feature | None, *, field: str = "") -> None:
        """Write a value that was given, or report it where the model or the API has no such thing."""
        if value is None:
            return
        if needed is None or not self._upstream.capabilities.has(needed):
            self._miss(name)
        else:
            self.fields[field or name] = value

    def _miss_all(self, **values: Any) -> None:
        for name, value in values.items():
            if value is not None:
                self._miss(name)

    def _miss(self, name: str) -> None:
        self.unsupported.append(spell(name, self._request.dialect))


def _split(messages: tuple[Message, ...]) -> tuple[str, tuple[Message, ...]]:
    """Return the instructions and the rest: a first system message of one text is said as such."""
    match messages[:1]:
        case (Message(role="system", parts=(Text(text=text, cache=""),)),):
            return text, messages[1:]
    return "", messages


def _is_marked(request: Request) -> bool:
    """Tell whether the client marks what a cache shall keep."""
    parts = (part for message in request.messages for part in message.parts)
    return any(getattr(item, "cache", "") for item in (*parts, *request.tools))


def _write_choice(choice: ToolChoice) -> Any:
    if choice.mode != "named":
        return choice.mode
    named = [{"type": "function", "name": name} for name in choice.names]
    return named[0] if len(named) == 1 else {"type": "allowed_tools", "mode": "required", "tools": named}


def _shared(request: Request) -> Mapping[str, msgspec.Raw]:
    if request.dialect is not Dialect.OPENAI:
        return {}
    return {name: raw for name, raw in request.extras.items() if name in _SHARED}
