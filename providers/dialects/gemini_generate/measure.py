"""How much a model has to read of a Gemini request: cheap figures for every call, and the texts for whoever counts.

The figures mean what `openai_chat.measure` says of them. What doesn't stand in the body at all, files at an address and
cached content, may be as long as the longest context that a Gemini model has.
"""

import msgspec

from providers.dialects.canonical import Prompt
from providers.dialects.gemini_generate.wire import Body, Content, Part
from providers.dialects.openai_chat.measure import (
    ATTACHMENT_BYTES,
    ATTACHMENT_TOKENS,
    AUDIO_BYTES_A_TOKEN,
    FILE_BYTES_A_TOKEN,
    MESSAGE_BYTES,
    PICTURE_TOKENS_MOST,
    TOOLS_TOKENS,
    WRAPPING_TOKENS,
    measure_text,
)

UNSEEN_TOKENS_MOST = 1_048_576  # gemini-2.5's and gemini-3's whole context


def measure(body: Body) -> tuple[int, int]:
    """Return the bytes that the model reads, and the tokens it can take beyond one for each of the body's bytes.

    The second is below zero where attachments take fewer tokens than bytes.
    """
    total, surplus = 0, WRAPPING_TOKENS
    if body.tools:
        total, surplus = len(msgspec.json.encode(body.tools)), WRAPPING_TOKENS + TOOLS_TOKENS
    if body.cached_content:
        surplus += UNSEEN_TOKENS_MOST
    for content in contents_of(body):
        total += MESSAGE_BYTES
        for part in content.parts or ():
            if part.is_plain:
                total += measure_text(part.text or "")
                continue
            total += _bytes_of(part)
            surplus += _surplus_of(part)
    return total, surplus


def read_prompt(body: Body) -> Prompt:
    """Return what the model reads of a request."""
    texts: list[str] = []
    markup: list[str] = []
    pictures = attachment_tokens = 0
    for content in contents_of(body):
        markup.append(content.role or "")
        for part in content.parts or ():
            texts.append(part.text or "")
            markup += _markup_of(part)
            is_picture = _media_type(part).startswith("image/")
            pictures += is_picture
            attachment_tokens += 0 if is_picture else _attachment_tokens(part)
    if body.tools:
        markup.append(msgspec.json.encode(body.tools).decode())
    return Prompt(
        texts=tuple(texts),
        markup=tuple(markup),
        messages=len(contents_of(body)),
        pictures=pictures,
        attachment_tokens=attachment_tokens,
        has_tools=bool(body.tools),
    )


def contents_of(body: Body) -> list[Content]:
    """Return every turn that the model reads, the system's first."""
    system = [body.system_instruction] if body.system_instruction is not None else []
    return system + (body.contents or [])


def _bytes_of(part: Part) -> int:
    if part.inline_data is not None or part.file_data is not None:
        return ATTACHMENT_BYTES
    return measure_text(part.text or "") + sum(map(measure_text, _markup_of(part)))


def _markup_of(part: Part) -> list[str]:
    """Return the text of a call, or of what came of one."""
    if part.function_call is not None:
        return [part.function_call.name or "", bytes(part.function_call.args).decode()]
    if part.function_response is not None:
        return [part.function_response.name or "", bytes(part.function_response.response).decode()]
    return []


def _surplus_of(part: Part) -> int:
    """Return what an attachment may take beyond a token for each of its bytes; below zero where it takes fewer."""
    inner = sum(PICTURE_TOKENS_MOST for _ in (part.function_response and part.function_response.parts) or ())
    if part.inline_data is None and part.file_data is None:
        return inner
    inline_bytes = len(part.inline_data.data or "") if part.inline_data is not None else 0
    if _media_type(part).startswith("image/"):
        return PICTURE_TOKENS_MOST - inline_bytes
    return _attachment_tokens(part) - inline_bytes


def _attachment_tokens(part: Part) -> int:
    if part.file_data is not None:
        return UNSEEN_TOKENS_MOST
    if part.inline_data is None:
        return 0
    bytes_a_token = AUDIO_BYTES_A_TOKEN if _media_type(part).startswith("audio/") else FILE_BYTES_A_TOKEN
    return ATTACHMENT_TOKENS + len(part.inline_data.data or "") // bytes_a_token


def _media_type(part: Part) -> str:
    inner = part.inline_data or part.file_data
    return (inner.mime_type or "") if inner is not None else ""
