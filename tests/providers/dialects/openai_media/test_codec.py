"""The sets of the dialect: what is patched, what is refused, what an error says."""

import msgspec
import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Head
from providers.dialects.openai_media.codec import (
    IMAGE_BACK,
    IMAGE_EDIT_HEADS,
    IMAGE_FRONT,
    IMAGE_THROUGH,
    MODERATION_HEADS,
    MODERATION_THROUGH,
    SPEECH_HEADS,
    TRANSCRIPTION_HEADS,
    TRANSCRIPTION_THROUGH,
)
from tests.providers.dialects.openai_media.recordings import NO_PATH, asked, encode, load, upstream


def test_only_the_model_changes_on_the_way_through() -> None:
    body = b'{"model": "m", "n": "2", "odd": 1.0, "file": {"bytes": 3}, "include[]": ["a", "b"]}'
    head = Head(model="m")
    assert TRANSCRIPTION_THROUGH.patch(body, upstream("m"), head=head, once=False) is body
    patched = msgspec.json.decode(TRANSCRIPTION_THROUGH.patch(body, upstream("up"), head=head, once=False))
    assert patched == msgspec.json.decode(body) | {"model": "up"}
    twice = b'{"model":"a","model":"m"}'
    for once in (True, False):
        assert IMAGE_THROUGH.patch(twice, upstream("m"), head=head, once=once) == b'{"model":"m"}'


def test_each_set_reads_its_own_requests() -> None:
    file = {"bytes": 5, "filename": "f", "content_type": ""}
    heads = [
        IMAGE_FRONT.decode_head(encode(load("media_image")["request"]), NO_PATH),
        IMAGE_EDIT_HEADS.decode_head(encode({"model": "m", "prompt": "p", "image": file}), NO_PATH),
        SPEECH_HEADS.decode_head(encode({"model": "m", "input": "i"}), NO_PATH),
        TRANSCRIPTION_HEADS.decode_head(encode({"model": "m", "file": file}), NO_PATH),
        TRANSCRIPTION_HEADS.decode_head(encode({"model": "m", "file": file}), NO_PATH),
        MODERATION_HEADS.decode_head(encode({"model": "m", "input": "i"}), NO_PATH),
    ]
    assert [(head.images, head.characters, head.audio_ms_most) for head in heads] == [
        (2, 0, 0),
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 5),
        (0, 0, 5),
        (0, 0, 0),
    ]
    assert SPEECH_HEADS.read_prompt(encode({"model": "m", "input": "i"})).texts == ("i",)
    assert IMAGE_FRONT.read_prompt(encode({"model": "m", "prompt": "p"})).texts == ("p",)
    assert MODERATION_THROUGH.read_facts(encode(load("media_moderation")["response"])).usage is None


def test_pictures_from_front_to_back_and_back_again() -> None:
    body = encode(load("media_image")["request"])
    request = IMAGE_FRONT.decode_request(body, NO_PATH)
    written = IMAGE_BACK.encode_request(request, upstream("gpt-image-1")).body
    assert msgspec.json.decode(written) == msgspec.json.decode(body)
    answer = IMAGE_BACK.decode_answer(encode(load("media_image")["response"]))
    told = IMAGE_FRONT.encode_answer(answer, asked(Head(model="m"), body))
    assert IMAGE_BACK.decode_answer(told) == answer


def test_pictures_are_not_streamed_between_dialects() -> None:
    with pytest.raises(InvalidRequest):
        IMAGE_BACK.decoder()
    with pytest.raises(InvalidRequest):
        IMAGE_FRONT.encoder(asked(Head(model="m"), b"{}"), lambda usage: None)


def test_errors() -> None:
    report = IMAGE_BACK.read_error(400, lambda name: None, b'{"error":{"message":"no","code":"moderation_blocked"}}')
    assert report is not None
    assert (report.message, report.code, report.own_envelope) == ("no", "moderation_blocked", True)
    busy = IMAGE_BACK.read_error(429, lambda name: None, b'{"error":{"message":"slow"}}')
    assert busy is not None
    assert busy.code == "rate_limit_exceeded"
    assert IMAGE_BACK.read_error(500, lambda name: None, b"<html>") is None
