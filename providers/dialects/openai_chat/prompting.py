"""A plain completion read as a conversation of one message, for models that only converse."""

from typing import Any

import msgspec

from kernel.errors import InvalidRequest
from providers.dialects.complaints import decode
from providers.dialects.conversation import Message, Request, Text
from providers.dialects.openai_chat.conversing import WireCommon, read_common, read_extras


class _Completion(WireCommon, kw_only=True):
    prompt: str | list[Any]
    logprobs: int | None = None


_completion = msgspec.json.Decoder(_Completion)
_KNOWN = frozenset(_Completion.__struct_fields__)
COMPLETION_ONLY = frozenset({"echo", "suffix", "best_of"})  # fields that no conversation has


def decode_prompt(body: bytes) -> Request:
    """Return the request. Raises InvalidRequest that names the field, and for a prompt that is no single text."""
    wire = decode(_completion, body)
    return msgspec.structs.replace(
        read_common(wire),
        messages=(Message("user", (Text(_read_prompt(wire.prompt)),)),),
        logprobs=True if wire.logprobs is not None else None,
        top_logprobs=wire.logprobs,
        extras=read_extras(body, _KNOWN),
    )


def _read_prompt(prompt: str | list[Any]) -> str:
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if isinstance(prompt, str):
        return prompt
    raise InvalidRequest(
        "The model behind this route takes one prompt, as text.", code="unsupported_content", param="prompt"
    )
