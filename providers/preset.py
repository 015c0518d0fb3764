"""What is usual for one vendor, as data: the form of a row in `providers.presets`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TypeAlias

from providers.dialects.canonical import Dialect, Operation

Speaks: TypeAlias = Mapping[Operation, tuple[Dialect, ...]]

OLDER_CAP = ("max_tokens",)
EITHER_CAP = ("max_tokens", "max_completion_tokens")
_MODELS_KNOWN_MAX = 4096

_OPENAI = (Dialect.OPENAI,)
_CHAT_OR_RESPONSES = (Dialect.OPENAI, Dialect.RESPONSES)
_RESPONSES = (Dialect.RESPONSES,)

# What every server of OpenAI's dialect is asked for; one that has no embeddings says so itself.
OPENAI_BASICS: Speaks = MappingProxyType(
    {Operation.CHAT: _OPENAI, Operation.COMPLETION: _OPENAI, Operation.EMBEDDING: _OPENAI}
)
OPENAI_AND_RESPONSES: Speaks = MappingProxyType({**OPENAI_BASICS, Operation.CHAT: _CHAT_OR_RESPONSES})
RESPONSES_ONLY: Speaks = MappingProxyType({Operation.CHAT: _RESPONSES, Operation.COMPACTION: _RESPONSES})


def speaking_openai(*more: Operation, basics: Speaks = OPENAI_BASICS) -> Speaks:
    """Return the basics and these operations, all in OpenAI's dialect; ranking has one of its own."""
    own = {Operation.RERANK: (Dialect.COHERE,)}
    return MappingProxyType({**basics, **{operation: own.get(operation, _OPENAI) for operation in more}})


IMAGES = (Operation.IMAGE, Operation.IMAGE_EDIT)
LISTENING = (Operation.TRANSCRIPTION, Operation.TRANSLATION)
SOUND = (Operation.SPEECH, *LISTENING)
OPENAI_EVERYTHING: Speaks = speaking_openai(*IMAGES, *SOUND, Operation.MODERATION, Operation.RERANK)


@dataclass(frozen=True, slots=True)
class Option:
    """Something that a kind of provider wants to know besides its address and credential.

    `env` is the variable that its own tools read it from, `litellm` what LiteLLM calls it. With `per_target` a target
    may say it too, and wins. `choices` are all that it may be, where there are only so many.
    """

    name: str
    help: str
    required: bool = False
    per_target: bool = False
    env: str = ""
    litellm: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preset:
    """What is usual for one vendor.

    `credential_env` is the variable its own tools read; where it is set, `make run` offers `usual_models`.
    `derives_address` tells that its adapter works the address out of the options; otherwise, without a `base_url` here,
    a provider has to say its own, and `address_env` is the variable that names it.
    `auth` names the authenticator (`providers.adapters.auth`); a provider's option of that name goes before it.
    `price_vendor` is the vendor's name in price lists. `accepts_stream_options` tells whether it understands
    `stream_options.include_usage`; where not, it is left out and usage is taken if it comes unasked.
    `tokenizers` says how it counts (`providers.tokens.TOKENIZERS`), by the beginning of the model's name, first fit
    first; none where that is unknown. `cap_fields` are the chat fields it knows for the longest answer; the first of
    them is written where a cap is ours to write. `spelling` is its accent in OpenAI's dialect, "" for none.
    `speaks` says in which dialects it takes an operation, the preferred one first; `speaks_by_model` says it for models
    whose names fit a pattern (`*` is anything), first fit first. `version_option` is the option that says for which
    version of the dialect bodies are written, `usual_version` holds where it doesn't.

    How LiteLLM spells it: `litellm_prefix` and `litellm_aliases` stand before its models, `litellm_routes` between
    those and the model's name. `litellm_secrets` are the keys of which its credential is made, each with its name in
    the credential's JSON, "" where the value is the whole credential; `litellm_secrets_auth` is the option `auth` then.
    """

    name: str
    adapter: str = "openai_compatible"
    title: str = ""
    base_url: str = ""
    address_env: str = ""
    derives_address: bool = False
    credential_env: str = ""
    auth: str = "bearer"
    price_vendor: str = ""
    litellm_prefix: str | None = None
    litellm_aliases: tuple[str, ...] = ()
    litellm_routes: tuple[str, ...] = ()
    litellm_secrets: tuple[tuple[str, str], ...] = ()
    litellm_secrets_auth: str = ""
    usual_models: tuple[str, ...] = ()
    accepts_stream_options: bool = True
    tokenizers: tuple[tuple[str, str], ...] = ()
    cap_fields: tuple[str, ...] = EITHER_CAP
    spelling: str = ""
    speaks: Speaks = field(default_factory=lambda: OPENAI_BASICS, hash=False)
    speaks_by_model: tuple[tuple[str, Speaks], ...] = field(default=(), hash=False)
    options: tuple[Option, ...] = ()
    version_option: str = ""
    usual_version: str = ""
    _known: dict[str, Speaks] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def needs_address(self) -> bool:
        """Tell whether a provider of this kind has to state its base URL."""
        return not (self.base_url or self.derives_address or self.built_in)

    @property
    def built_in(self) -> bool:
        """Tell whether it answers without any server."""
        return self.adapter == "mock"

    def dialect_for(self, operation: Operation, model: str, asked: Dialect) -> Dialect | None:
        """Return the dialect to speak: the one asked for where it is known there, else the preferred one.

        None where the operation can't be done there.
        """
        known = self.speaks_of(model).get(operation, ())
        return asked if asked in known else next(iter(known), None)

    def speaks_of(self, model: str) -> Speaks:
        """Return in which dialects a model takes its operations. Every attempt asks, so answers are remembered."""
        if not self.speaks_by_model:
            return self.speaks
        found = self._known.get(model)
        if found is None:
            if len(self._known) >= _MODELS_KNOWN_MAX:
                self._known.clear()
            fits = (speaks for pattern, speaks in self.speaks_by_model if fnmatchcase(model, pattern))
            found = self._known[model] = next(fits, self.speaks)
        return found

    def body_version(self, options: Mapping[str, str]) -> str:
        """Return the version that bodies are written for, "" for the dialect's usual one."""
        return options.get(self.version_option) or self.usual_version

    def tokenizer_of(self, model: str) -> str:
        """Return the name of a model's tokenizer, "" where it is unknown."""
        model = model.removeprefix("ft:")
        return next((name for beginning, name in self.tokenizers if model.startswith(beginning)), "")

    def cap_fields_of(self, operation: Operation) -> tuple[str, ...]:
        """Return the fields that bound an answer's length; plain completions know only the older one everywhere."""
        return OLDER_CAP if operation is Operation.COMPLETION else self.cap_fields
