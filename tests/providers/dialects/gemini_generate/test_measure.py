import json
from typing import Any

from providers.dialects.codec import PathFacts
from providers.dialects.gemini_generate.codec import CHAT_FRONT
from providers.dialects.gemini_generate.measure import UNSEEN_TOKENS_MOST

PATH = PathFacts(model="m")


def _bytes(*parts: Any, **fields: Any) -> bytes:
    return json.dumps({"contents": [{"role": "user", "parts": list(parts)}], **fields}).encode()


def test_text_is_measured_in_bytes_with_what_wraps_it() -> None:
    head = CHAT_FRONT.decode_head(_bytes({"text": "hé"}, systemInstruction={"parts": [{"text": "abc"}]}), PATH)
    assert head.input_bytes == 2 * 16 + 3 + 3


def test_more_than_a_token_a_byte_is_never_counted_but_for_attachments() -> None:
    body = _bytes({"text": "x" * 1000})
    assert CHAT_FRONT.decode_head(body, PATH).input_tokens_most == len(body) + 128
    sound = {"inlineData": {"mimeType": "audio/wav", "data": "A" * 64_000}}
    assert CHAT_FRONT.decode_head(_bytes(sound), PATH).input_tokens_most < 64_000
    picture = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    assert CHAT_FRONT.decode_head(_bytes(picture), PATH).input_tokens_most > 50_000


def test_what_does_not_stand_in_the_body_may_be_as_long_as_a_context() -> None:
    film = {"fileData": {"fileUri": "https://youtu.be/x"}}
    assert CHAT_FRONT.decode_head(_bytes(film), PATH).input_tokens_most > UNSEEN_TOKENS_MOST
    assert CHAT_FRONT.decode_head(_bytes({"text": "x"}, cachedContent="c"), PATH).input_tokens_most > UNSEEN_TOKENS_MOST


def test_a_prompt_is_taken_apart() -> None:
    body = _bytes(
        {"text": "hi"},
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"functionResponse": {"name": "f", "response": {"output": "sunny"}}},
        tools=[{"functionDeclarations": [{"name": "f"}]}],
        system_instruction={"parts": {"text": "sys"}},
    )
    prompt = CHAT_FRONT.read_prompt(body)
    assert (prompt.texts, prompt.messages, prompt.pictures) == (("sys", "hi", "", ""), 2, 1)
    assert prompt.has_tools
    assert "sunny" in " ".join(prompt.markup)
