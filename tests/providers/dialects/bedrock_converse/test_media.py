"""Pictures, documents, sounds and films in every form they may come in, and in those they may not."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import InvalidRequest
from providers.dialects.bedrock_converse.media import (
    name_document,
    write_audio,
    write_document,
    write_image,
    write_video,
)
from providers.dialects.conversation import Audio, Document, Image, Source, Video

HI = b64encode(b"hi").decode()
PARAM = "messages[0].content[0]"


@pytest.mark.parametrize(
    ("media_type", "found"),
    [("image/png", "png"), ("image/jpeg", "jpeg"), ("image/jpg", "jpeg"), ("IMAGE/WEBP; q=1", "webp"), ("gif", "gif")],
)
def test_pictures(media_type: str, found: str) -> None:
    image = Image(Source(data=HI, media_type=media_type))
    assert write_image(image, PARAM) == {"image": {"format": found, "source": {"bytes": HI}}}


@pytest.mark.parametrize(
    ("beginning", "found"),
    [(b"\x89PNG\r\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF89a", "gif"), (b"RIFF__WEBP", "webp")],
)
def test_a_picture_without_a_type_shows_it(beginning: bytes, found: str) -> None:
    image = Image(Source(data=b64encode(beginning).decode()))
    assert write_image(image, PARAM)["image"]["format"] == found


def test_a_picture_in_a_bucket() -> None:
    image = Image(Source(url="s3://bucket/fox.png"))
    assert write_image(image, PARAM) == {
        "image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/fox.png"}}}
    }


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (Source(url="https://a.example/b.png"), "unsupported_content"),
        (Source(file_id="file-1", media_type="image/png"), "unsupported_content"),
        (Source(data=HI, media_type="image/tiff"), "unsupported_content"),
        (Source(data=HI), "unsupported_content"),
        (Source(data="", media_type="image/png"), "invalid_base64"),
        (Source(data="a", media_type="image/png"), "invalid_base64"),
        (Source(data="a-_=", media_type="image/png"), "invalid_base64"),
        (Source(data="aGk=\naGk=", media_type="image/png"), "invalid_base64"),
        (Source(data="é", media_type="image/png"), "invalid_base64"),
    ],
)
def test_pictures_that_can_not_be_sent(source: Source, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        write_image(Image(source), PARAM)
    assert (caught.value.code, caught.value.param) == (code, PARAM)


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (Document(Source(data=HI, media_type="application/pdf")), "pdf"),
        (Document(Source(data=HI, media_type="text/plain")), "txt"),
        (Document(Source(data=HI, media_type="text/markdown")), "md"),
        (Document(Source(data=HI, media_type="application/vnd.ms-excel")), "xls"),
        (
            Document(
                Source(data=HI, media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document")
            ),
            "docx",
        ),
        (Document(Source(data=HI), title="figures.csv"), "csv"),
        (Document(Source(data=HI, media_type="application/octet-stream"), title="A.PDF"), "pdf"),
        (Document(Source(data=b64encode(b"%PDF-1.7").decode())), "pdf"),
    ],
)
def test_documents(document: Document, found: str) -> None:
    block = write_document(document, PARAM, set())["document"]
    assert (block["format"], block["source"]) == (found, {"bytes": document.source.data})


def test_a_text_as_a_document() -> None:
    plain = write_document(Document(text="café", title="t", context="c"), PARAM, set())["document"]
    assert b64decode(plain.pop("source")["bytes"]).decode() == "café"
    assert plain == {"format": "txt", "name": "t", "context": "c"}
    cited = write_document(Document(text="café", citations=True), PARAM, set())["document"]
    assert (cited["source"], cited["citations"]) == ({"text": "café"}, {"enabled": True})


def test_a_document_of_no_known_form() -> None:
    with pytest.raises(InvalidRequest):
        write_document(Document(Source(data=HI, media_type="application/zip"), title="a.zip"), PARAM, set())


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("report_v1.pdf", "report-v1-pdf"),
        ("Notes  (old) [2]", "Notes (old) [2]"),
        ("分析", "document"),
        ("", "document"),
        ("a" * 300, "a" * 192),
        ("Ignore that!", "Ignore that"),
    ],
)
def test_names_of_documents(title: str, name: str) -> None:
    assert name_document(title, set()) == name


@given(st.lists(st.text(max_size=250), max_size=6))
def test_names_are_what_bedrock_takes_and_no_two_alike(titles: list[str]) -> None:
    taken: set[str] = set()
    names = [name_document(title, taken) for title in titles]
    assert len({name.lower() for name in names}) == len(titles)
    for name in names:
        assert 1 <= len(name) <= 200
        assert all(letter.isascii() and (letter.isalnum() or letter in " -()[]") for letter in name)
        assert "  " not in name


def test_sounds_and_films() -> None:
    assert write_audio(Audio(Source(data=HI), format="mp3"), PARAM) == {
        "audio": {"format": "mp3", "source": {"bytes": HI}}
    }
    assert write_audio(Audio(Source(data=HI, media_type="audio/x-wav")), PARAM)["audio"]["format"] == "wav"
    assert write_video(Video(Source(data=HI, media_type="video/quicktime")), PARAM)["video"]["format"] == "mov"
    assert write_video(Video(Source(url="s3://a/b.mkv")), PARAM)["video"]["format"] == "mkv"
