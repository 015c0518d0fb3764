"""How much a model has to read of a request: cheap figures for every call, and the texts for whoever counts them.

Two figures come with every head. `input_bytes` is the size of the text, for estimates. `input_tokens_most` is above
what any vendor counts: vocabularies fall back to bytes, so a token stands for a byte at least, and each text stands in
the body in at least as many bytes as it has. What the body does not show is added: what vendors write around a prompt
themselves, and attachments, whose size in tokens no gateway can see.

`read_prompt` takes the body apart for a tokenizer; it costs a second decoding and is done where the figure above is too
high to be of use.
"""

from typing import Any

import msgspec

from providers.dialects.canonical import BYTES_A_TOKEN, Operation, Prompt

MESSAGE_BYTES = 4 * BYTES_A_TOKEN  # what wraps each message
ATTACHMENT_BYTES = 1000 * BYTES_A_TOKEN

WRAPPING_TOKENS = 128  # a vendor's own words in each prompt; the longest seen, gpt-oss's, are about 70 tokens
TOOLS_TOKENS = 600  # and where there are tools; Anthropic's documentation names 530 as its most
PICTURE_TOKENS_MOST = 50_000  # OpenAI's documentation: 2,833 + 8 tiles of 5,667 for gpt-4o-mini, all others far below
ATTACHMENT_TOKENS = 5_000  # any other attachment, besides its size where it stands in the body
AUDIO_BYTES_A_TOKEN = 64  # ten tokens a second, and a second of speech takes a kilobyte at the least
FILE_BYTES_A_TOKEN = 2  # a PDF page of text: three kilobytes compressed, up to 3,000 tokens with its picture

_TEXT_PARTS = ("text", "refusal", "input_text", "output_text", "thinking")
_PICTURES = ("image_url", "input_image", "image")
# What is known to be for the server and never for the model; anything else counts as read.
_UNREAD = frozenset(
    (
        *("model", "messages", "prompt", "input", "user", "metadata", "stream_options", "logit_bias", "stop"),
        *("service_tier", "encoding_format"),
    )
)

_any = msgspec.json.Decoder(dict[str, Any])


class Message(msgspec.Struct):
    """A chat message as far as it is checked and measured."""

    role: str
    content: str | list[dict[str, Any]] | None = None


def measure_chat(messages: list[Message], tools: list[dict[str, Any]] | None) -> tuple[int, int]:
    """Return the bytes of a conversation and its tools, and the tokens it can take beyond one for each of the body's.

    The second is below zero where attachments take fewer tokens than bytes.
    """
    total, surplus = 0, WRAPPING_TOKENS
    if tools:
        total, surplus = len(msgspec.json.encode(tools)), WRAPPING_TOKENS + TOOLS_TOKENS
    for message in messages:
        content = message.content
        total += MESSAGE_BYTES
        if isinstance(content, str):
            total += measure_text(content)
        elif content:
            for part in content:
                text = part.get("text")
                total += measure_text(text) if isinstance(text, str) else ATTACHMENT_BYTES
                if part.get("type", "text") not in _TEXT_PARTS:
                    surplus += _surplus_tokens(part)
    return total, surplus


def measure_input(given: str | list[Any]) -> int:
    """Return the bytes of a prompt or an embedding's input: texts, or tokens that were counted already."""
    if isinstance(given, str):
        return measure_text(given)
    return sum(measure_input(item) if isinstance(item, str | list) else BYTES_A_TOKEN for item in given)


def measure_text(text: str) -> int:
    """Return the bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def count_inputs(given: str | list[Any]) -> int:
    """Return how many prompts there are: one text, one list of tokens, or a list of either."""
    return max(1, len(given)) if isinstance(given, list) and any(isinstance(item, str | list) for item in given) else 1


def read_prompt(operation: Operation, body: bytes) -> Prompt:
    """Return what the model reads of a request whose head was decoded without complaint."""
    fields = _any.decode(body)
    markup = [_as_text(value) for name, value in fields.items() if name not in _UNREAD and _is_readable(value)]
    if operation is Operation.CHAT:
        return _read_chat(fields, markup)
    texts, given_tokens = _read_input(fields.get("prompt" if operation is Operation.COMPLETION else "input"))
    apart = operation is Operation.EMBEDDING
    return Prompt(texts=tuple(texts), markup=tuple(markup), given_tokens=given_tokens, apart=apart)


def _read_chat(fields: dict[str, Any], markup: list[str]) -> Prompt:
    texts: list[str] = []
    pictures = attachment_tokens = 0
    for message in fields["messages"]:
        markup += [_as_text(value) for name, value in message.items() if name != "content" and value is not None]
        content = message.get("content")
        if not content or isinstance(content, str):
            texts.append(content or "")
            continue
        for part in content:
            text = part.get("text")
            texts.append(text if isinstance(text, str) else "")
            if part.get("type", "text") in _TEXT_PARTS:
                continue
            if part["type"] in _PICTURES:
                pictures += 1
            else:
                attachment_tokens += _attachment_tokens(part)
    return Prompt(
        texts=tuple(texts),
        markup=tuple(markup),
        messages=len(fields["messages"]),
        pictures=pictures,
        attachment_tokens=attachment_tokens,
        has_tools=bool(fields.get("tools") or fields.get("functions")),
    )


def _read_input(given: Any) -> tuple[list[str], int]:
    """Return the texts and the count of tokens in a prompt or an embedding's input, however it is nested."""
    if isinstance(given, str):
        return [given], 0
    texts, tokens = [], 0
    for item in given or ():
        inner_texts, inner_tokens = _read_input(item) if isinstance(item, str | list) else ([], 1)
        texts += inner_texts
        tokens += inner_tokens
    return texts, tokens


def _surplus_tokens(part: dict[str, Any]) -> int:
    """Return what an attachment may take beyond a token for each of its bytes; below zero where it takes fewer."""
    if part["type"] in _PICTURES:
        return PICTURE_TOKENS_MOST - _inline_bytes(part)
    if part["type"] == "input_audio":
        return _attachment_tokens(part) - _inline_bytes(part)
    return ATTACHMENT_TOKENS


def _attachment_tokens(part: dict[str, Any]) -> int:
    bytes_a_token = AUDIO_BYTES_A_TOKEN if part["type"] == "input_audio" else FILE_BYTES_A_TOKEN
    return ATTACHMENT_TOKENS + _inline_bytes(part) // bytes_a_token


def _inline_bytes(part: dict[str, Any]) -> int:
    """Return the length of the longest text in an attachment: its data, or the address that it is to be found at."""
    kind = part["type"]
    inner = part.get(kind) if isinstance(kind, str) else None
    values = inner.values() if isinstance(inner, dict) else (inner,)
    return max((len(value) for value in values if isinstance(value, str)), default=0)


def _is_readable(value: Any) -> bool:
    return isinstance(value, str | list | dict) and bool(value)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
