"""Reading a whole answer: is it one, what did it use, why did it end. The bytes themselves pass on untouched."""

from typing import Any

import msgspec

from kernel.errors import UpstreamBroken
from providers.dialects.codec import Facts
from providers.dialects.openai_chat.usage import WireUsage, read_usage

PASSED_HEADERS = frozenset({b"content-type", b"openai-processing-ms", b"openai-version"})


_ABSENT = msgspec.Raw(b"")


class _Message(msgspec.Struct):
    content: Any = None


class _Choice(msgspec.Struct):
    finish_reason: str | None = None
    message: _Message | None = None
    text: str | None = None


class _Body(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: WireUsage | None = None
    data: msgspec.Raw = _ABSENT


_body = msgspec.json.Decoder(_Body)
_any_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_answer(body: bytes) -> Facts:
    """Return what accounting needs. Raises UpstreamBroken where the bytes are no answer to a call."""
    try:
        answer = _body.decode(body)
    except msgspec.ValidationError:
        return _decode_leniently(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken(describe(body)) from error
    if answer.choices is None and answer.data is _ABSENT:
        raise UpstreamBroken("the provider's answer has neither choices nor data")
    return Facts(
        usage=read_usage(answer.usage) if answer.usage else None,
        finish_reason=(answer.choices[0].finish_reason or "") if answer.choices else "",
        output_bytes=sum(_text_bytes(choice) for choice in answer.choices or ()),
    )


def _text_bytes(choice: _Choice) -> int:
    text = choice.message.content if choice.message else choice.text
    return len(text.encode(errors="surrogatepass")) if isinstance(text, str) else 0


def _decode_leniently(body: bytes) -> Facts:
    """An object whose known fields have odd types is still an answer; it is passed on and counted by its size."""
    try:
        fields = _any_object.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroken(describe(body)) from error
    if not fields.keys() & {"choices", "data"}:
        raise UpstreamBroken("the provider's answer has neither choices nor data")
    return Facts(output_bytes=len(body))


def describe(body: bytes) -> str:
    """Return what is wrong with bytes that are no JSON object."""
    if not body.strip():
        return "the provider's answer is empty"
    if body.lstrip()[:1] == b"<":
        return "the provider answered with HTML instead of JSON"
    if body.lstrip()[:1] == b"{":
        return "the provider's JSON answer is cut short or malformed"
    return "the provider's answer is not a JSON object"
