"""Whole answers: what accounting reads of them, and pictures there and back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import UpstreamBroken
from providers.dialects.canonical import Head, Usage
from providers.dialects.openai_media import response
from providers.dialects.picture import Picture, PictureAnswer
from tests.providers.dialects.openai_media.recordings import asked, encode, load

ASKED = asked(Head(model="m"), b"{}")
TOKENS = Usage(input_tokens=34, output_tokens=5, audio_input_tokens=30)


def test_pictures_are_counted_beside_their_tokens() -> None:
    body = encode(load("media_image")["response"])
    usage = Usage(input_tokens=12, output_tokens=3168, images=2)
    assert response.read_picture_facts(body).usage == usage
    answer = response.decode_pictures(body)
    assert answer.usage == usage
    assert [picture.data for picture in answer.pictures] == ["iVBORw0KGgo=", "iVBORw0KGgp="]
    assert {picture.media_type for picture in answer.pictures} == {"image/png"}


def test_older_models_report_pictures_only() -> None:
    assert response.read_picture_facts(b'{"created":1,"data":[{"url":"https://x"}]}').usage == Usage(images=1)


def test_what_a_second_model_drew_is_never_free() -> None:
    body = (
        b'{"data":[{}],"usage":{"input_tokens":1,"output_tokens":2},"svg_usage":{"input_tokens":3,"output_tokens":4}}'
    )
    assert response.read_picture_facts(body).usage == Usage(input_tokens=4, output_tokens=6, images=1)


@given(
    st.lists(
        st.builds(
            Picture,
            data=st.text("ab", min_size=1),
            media_type=st.just("image/webp"),
            revised_prompt=st.text(max_size=3),
        )
        | st.builds(Picture, url=st.just("https://x"), media_type=st.just("image/webp")),
        min_size=1,
    ),
    st.integers(1, 99),
)
def test_pictures_there_and_back(pictures: list[Picture], tokens: int) -> None:
    answer = PictureAnswer(tuple(pictures), Usage(input_tokens=3, output_tokens=tokens, images=len(pictures)))
    back = response.decode_pictures(response.encode_pictures(answer, ASKED))
    assert back.usage == answer.usage
    assert [(one.data, one.url, one.revised_prompt) for one in back.pictures] == [
        (one.data, one.url, one.revised_prompt) for one in pictures
    ]
    if any(picture.data for picture in pictures):
        assert back.pictures[0].media_type == "image/webp"


def test_an_answer_without_usage_says_none() -> None:
    written = msgspec.json.decode(response.encode_pictures(PictureAnswer((Picture(url="https://x"),)), ASKED))
    assert written == {"created": 1_763_700_000, "data": [{"url": "https://x"}]}


SUBTITLES = b"1\n00:00:00,000 --> 00:00:02,500\nHello\n\n2\n00:00:02,500 --> 01:01:01,250\nthere.\n"
WEBVTT = b"WEBVTT\n\n00:00.000 --> 00:02.951\nHello there.\n"


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        (encode(load("media_transcription")["response"]), TOKENS),
        (encode(load("media_transcription")["duration"]), Usage(audio_ms=3_000)),
        (encode(load("media_transcription")["verbose"]), Usage(audio_ms=2_950)),
        (SUBTITLES, Usage(audio_ms=3_661_250, estimated=True)),
        (WEBVTT, Usage(audio_ms=2_951, estimated=True)),
        (b"Hello there.\n", None),
        (b'{"text":"Hello"}', None),
    ],
)
def test_transcripts_of_every_form(body: bytes, usage: Usage | None) -> None:
    facts = response.read_transcript_facts(body)
    assert facts.usage == usage
    assert facts.output_bytes > 0


def test_moderations_and_sounds() -> None:
    recorded = load("media_moderation")["response"]
    assert response.read_judgement_facts(encode(recorded)).usage is None
    reported = encode(recorded, usage={"prompt_tokens": 7, "total_tokens": 7})
    assert response.read_judgement_facts(reported).usage == Usage(input_tokens=7)
    assert response.read_sound_facts(b"ID3").usage is None


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (response.read_picture_facts, b""),
        (response.read_picture_facts, b'{"data":[]}'),
        (response.decode_pictures, b'{"data":[{"b64_json":5}]}'),
        (response.decode_pictures, b'{"data":null}'),
        (response.read_transcript_facts, b" \n"),
        (response.read_transcript_facts, b"<html>"),
        (response.read_transcript_facts, b'{"error":1}'),
        (response.read_transcript_facts, b'{"text":"a'),
        (response.read_judgement_facts, b"{}"),
        (response.read_sound_facts, b""),
    ],
)
def test_what_is_no_answer_is_broken(read: object, body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        read(body)  # type: ignore[operator]
