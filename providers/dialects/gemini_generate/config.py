"""How an answer shall be made: `generationConfig`, read and written."""

from typing import Any

from providers.dialects.canonical import Feature
from providers.dialects.codec import Upstream
from providers.dialects.conversation import OutputFormat, Request, Tool
from providers.dialects.gemini_generate.reasoning import FIRST_WITH_LEVELS, generation_of, thinks, write_reasoning
from providers.dialects.gemini_generate.schemas import to_json_schema
from providers.dialects.gemini_generate.wire import ABSENT, Config, Thinking, is_given

_JSON = "application/json"
_PLAIN = "text/plain"
_STOPS_MOST = 5  # the reference of generateContent, November 2026 [mem]
_SEED_MOST = 2**31 - 1  # an int32
_PLAIN_FIELDS = (
    ("temperature", Feature.SAMPLING),
    ("top_p", Feature.SAMPLING),
    ("top_k", Feature.SAMPLING),
    ("frequency_penalty", Feature.PENALTIES),
    ("presence_penalty", Feature.PENALTIES),
)


def read_format(config: Config) -> OutputFormat | None:
    """Return the form that the answer has to have; None for plain text, and for what no other dialect knows."""
    if config.response_mime_type != _JSON:
        return None
    if is_given(config.response_json_schema):
        return OutputFormat("json_schema", schema=config.response_json_schema)
    if is_given(config.response_schema):
        return OutputFormat("json_schema", schema=to_json_schema(config.response_schema))
    return OutputFormat("json_object")


def is_known_type(config: Config) -> bool:
    """Tell whether the answer's media type has a place in the conversation hub."""
    return config.response_mime_type in (None, "", _PLAIN, _JSON)


def write_config(request: Request, upstream: Upstream) -> tuple[Config, list[str]]:
    """Return `generationConfig`, and the hub's names of the fields that can't be said."""
    writer = _Writer(request, upstream)
    config = Config(
        **writer.plain_fields(),
        candidate_count=writer.candidate_count(),
        max_output_tokens=request.max_output_tokens if upstream.cap is None else upstream.cap,
        stop_sequences=writer.stop_sequences(),
        seed=writer.seed(),
        thinking_config=writer.thinking(),
    )
    writer.set_logprobs(config)
    writer.set_format(config)
    return config, writer.unsupported


class _Writer:
    """Asks of each field whether the model has it, and notes where not."""

    def __init__(self, request: Request, upstream: Upstream) -> None:
        self._request = request
        self._upstream = upstream
        self.unsupported: list[str] = []

    def plain_fields(self) -> dict[str, Any]:
        """Return the fields that both sides call alike."""
        given = [(name, getattr(self._request, name), feature) for name, feature in _PLAIN_FIELDS]
        return {name: value for name, value, feature in given if value is not None and self._has(feature, name)}

    def candidate_count(self) -> int | None:
        """Return how many answers to make, where it is more than one."""
        n = self._request.n
        return n if n is not None and n > 1 and self._has(Feature.CHOICES, "n") else None

    def stop_sequences(self) -> list[str] | None:
        """Return where to stop, at most at so many places as the vendor takes."""
        stop = self._request.stop
        if not stop or not self._has(Feature.STOP, "stop"):
            return None
        if len(stop) > _STOPS_MOST:
            self.unsupported.append("stop")
        return list(stop[:_STOPS_MOST])

    def seed(self) -> int | None:
        """Return the seed, where it is one the vendor can read."""
        seed = self._request.seed
        if seed is None or not self._has(Feature.SEED, "seed"):
            return None
        if not -_SEED_MOST - 1 <= seed <= _SEED_MOST:
            self.unsupported.append("seed")
            return None
        return seed

    def thinking(self) -> Thinking | None:
        """Return how much to think, where the client says so."""
        reasoning = self._request.reasoning
        if reasoning is None:
            return None
        if self._upstream.capabilities.has(Feature.REASONING):
            written = write_reasoning(reasoning, self._upstream.model)
            return written if written != Thinking() else None
        if thinks(reasoning):
            self.unsupported.append("reasoning")
        return None

    def set_logprobs(self, config: Config) -> None:
        """Ask for probabilities."""
        if self._request.logprobs and self._has(Feature.LOGPROBS, "logprobs"):
            config.response_logprobs = True
            config.logprobs = self._request.top_logprobs

    def set_format(self, config: Config) -> None:
        """Ask for JSON, by a schema where there is one, which may be any JSON Schema and stays as it is."""
        asked = self._request.output_format
        if asked is None or asked.kind == "text":
            return
        feature = Feature.JSON_OBJECT if asked.kind == "json_object" else Feature.JSON_SCHEMA
        if self._has(feature, "response_format", besides=not self._must_choose()):
            config.response_mime_type = _JSON
            config.response_json_schema = ABSENT if asked.schema is None else asked.schema

    def _must_choose(self) -> bool:
        """Tell whether the model refuses JSON where it has functions to call; before Gemini 3 all do."""
        generation = generation_of(self._upstream.model)
        has_functions = any(isinstance(tool, Tool) for tool in self._request.tools)
        return has_functions and generation is not None and generation < FIRST_WITH_LEVELS

    def _has(self, feature: Feature, name: str, *, besides: bool = True) -> bool:
        if self._upstream.capabilities.has(feature) and besides:
            return True
        self.unsupported.append(name)
        return False
