"""A request written for a server of this dialect: its fields, as far as the model and the server know them."""

from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Dialect, Feature
from providers.dialects.codec import Encoded, Upstream
from providers.dialects.conversation import HostedTool, Reasoning, Request, Tool
from providers.dialects.efforts import effort_of
from providers.dialects.hints import HINTS, names_said, sort_extras
from providers.dialects.openai_chat.history import History
from providers.dialects.openai_chat.parts import Fields
from providers.dialects.openai_chat.prompting import COMPLETION_ONLY
from providers.dialects.openai_chat.spelling import MISTRAL, respell
from providers.dialects.openai_chat.tools import write_choice, write_format, write_tool
from providers.dialects.wording import spell

# Numbers by the feature that they need, with what stands there by default and so need not be said.
_NUMBERS: tuple[tuple[str, Feature, float | None], ...] = (
    *(("temperature", Feature.SAMPLING, 1), ("top_p", Feature.SAMPLING, 1)),
    *(("frequency_penalty", Feature.PENALTIES, 0), ("presence_penalty", Feature.PENALTIES, 0)),
    *(("seed", Feature.SEED, None), ("n", Feature.CHOICES, 1)),
)


def encode_request(request: Request, upstream: Upstream) -> Encoded:
    """Return the body, and what of the request it doesn't say. Raises InvalidRequest for content with no place."""
    history = History(request, upstream)
    draft = _Draft(request, upstream)
    draft.fields["messages"] = history.write()
    draft.write()
    raws = {name: _raw(value) for name, value in draft.fields.items()}
    dropped = respell(raws, upstream.spelling)
    unsupported = [*draft.unsupported, *history.unsupported, *(name for name in dropped if name not in HINTS)]
    ignored = [*draft.ignored, *history.ignored, *(name for name in dropped if name in HINTS)]
    return Encoded(
        msgspec.json.encode(raws),
        unsupported=tuple(spell(name, request.dialect) for name in dict.fromkeys(unsupported)),
        ignored=tuple(dict.fromkeys(ignored)),
    )


class _Draft:
    """The fields of a body while they are written."""

    def __init__(self, request: Request, upstream: Upstream) -> None:
        self._request = request
        self._upstream = upstream
        self._has = upstream.capabilities.has
        self._is_own = request.dialect is Dialect.OPENAI
        self.fields: Fields = {"model": upstream.model}
        self.unsupported: list[str] = []
        self.ignored: list[str] = []

    def write(self) -> None:
        """Write all but the messages."""
        self._write_numbers()
        self._write_logprobs()
        self._write_tools()
        self._write_reasoning()
        self._write_form()
        self._write_length_and_stream()
        self._write_names()
        self._write_extras()

    def _write_numbers(self) -> None:
        for name, feature, default in _NUMBERS:
            value = getattr(self._request, name)
            if value is None:
                continue
            if self._has(feature):
                self.fields[name] = value
            elif value != default:
                self.unsupported.append(name)
        if self._request.top_k is not None:
            if self._is_own:  # the client says it in this dialect, so that its server may know it
                self.fields["top_k"] = self._request.top_k
            else:
                self.unsupported.append("top_k")

    def _write_logprobs(self) -> None:
        if not self._request.logprobs:
            return
        if not self._has(Feature.LOGPROBS):
            self.unsupported.append("logprobs")
            return
        self.fields["logprobs"] = True
        if self._request.top_logprobs is not None:
            self.fields["top_logprobs"] = self._request.top_logprobs

    def _write_tools(self) -> None:
        request = self._request
        if not request.tools:
            return
        if not self._has(Feature.TOOLS):
            self.unsupported.append("tools")
            return
        marked = self._has(Feature.CACHE_MARKS) and self._upstream.spelling != MISTRAL
        choice = request.tool_choice
        several = choice.names if choice is not None and choice.mode == "named" and len(choice.names) > 1 else ()
        self.fields["tools"] = [
            write_tool(tool, marked=marked) if isinstance(tool, Tool) else _own_tool(tool, f"tools[{index}]")
            for index, tool in enumerate(request.tools)
            if not several or not isinstance(tool, Tool) or tool.name in several
        ]
        if choice is not None:
            self.fields["tool_choice"] = write_choice(choice)
        self._write_parallel()

    def _write_parallel(self) -> None:
        parallel = self._request.parallel_tool_calls
        if parallel is None:
            return
        if self._has(Feature.PARALLEL_TOOLS):
            self.fields["parallel_tool_calls"] = parallel
        elif not parallel:
            self.unsupported.append("parallel_tool_calls")

    def _write_reasoning(self) -> None:
        reasoning = self._request.reasoning
        if reasoning is None:
            return
        if not self._has(Feature.REASONING):
            if reasoning.effort != "none" and reasoning.budget_tokens != 0:
                self.unsupported.append("reasoning")
        elif self._is_own and (reasoning.budget_tokens is not None or reasoning.adaptive or reasoning.summary):
            self.fields["reasoning"] = _as_object(reasoning)
        elif not self._is_own and (reasoning.effort == "none" or reasoning.budget_tokens == 0):
            # Half of the models refuse to be told not to.
            self.ignored.append(spell("reasoning", self._request.dialect))
        elif reasoning.effort is not None:
            self.fields["reasoning_effort"] = reasoning.effort
        elif reasoning.budget_tokens is not None:
            self.fields["reasoning_effort"] = effort_of(reasoning.budget_tokens)

    def _write_form(self) -> None:
        request = self._request
        if request.stop and self._has(Feature.STOP):
            self.fields["stop"] = request.stop
        elif request.stop:
            self.unsupported.append("stop")
        form = request.output_format
        if form is None or (form.kind == "text" and not self._is_own):
            return
        if form.kind == "text" or self._has(Feature(form.kind)):
            self.fields["response_format"] = write_format(form)
        else:
            self.unsupported.append("response_format")

    def _write_length_and_stream(self) -> None:
        cap = self._upstream.cap if self._upstream.cap is not None else self._request.max_output_tokens
        if cap is not None:
            self.fields[self._upstream.cap_fields[0]] = cap
        if self._request.stream:
            self.fields["stream"] = True
            if self._upstream.ask_usage and self._upstream.spelling != MISTRAL:
                self.fields["stream_options"] = {"include_usage": True}

    def _write_names(self) -> None:
        if self._request.user:
            self.fields["user"] = self._request.user
        if self._request.metadata:
            if self._is_own:
                self.fields["metadata"] = self._request.metadata
            else:
                self.ignored.append("metadata")

    def _write_extras(self) -> None:
        if not self._is_own:
            unsupported, ignored = sort_extras(self._request, Dialect.OPENAI)
            self.unsupported += unsupported
            self.ignored += ignored
            return
        extras = self._request.extras
        self.fields.update({name: raw for name, raw in extras.items() if name not in COMPLETION_ONLY})
        of_completions = {name: raw for name, raw in extras.items() if name in COMPLETION_ONLY}
        self.unsupported += names_said(of_completions)


def _as_object(reasoning: Reasoning) -> Fields:
    fields: Fields = {}
    if reasoning.effort is not None:
        fields["effort"] = reasoning.effort
    if reasoning.budget_tokens is not None:
        fields["max_tokens"] = reasoning.budget_tokens
    if reasoning.adaptive:
        fields["enabled"] = True
    if reasoning.summary == "none":
        fields["exclude"] = True
    elif reasoning.summary:
        fields["summary"] = reasoning.summary
    return fields


def _own_tool(tool: HostedTool, path: str) -> msgspec.Raw:
    if tool.dialect is not Dialect.OPENAI:
        message = f"{tool.kind} is a tool that another provider runs itself"
        raise InvalidRequest(message, code="unsupported_content", param=path)
    return tool.raw


def _raw(value: Any) -> msgspec.Raw:
    return value if isinstance(value, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(value))
