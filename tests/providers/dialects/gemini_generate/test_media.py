import pytest

from kernel.errors import InvalidRequest
from providers.dialects.canonical import Capabilities, Feature
from providers.dialects.conversation import Audio, Document, Image, Source, Video
from providers.dialects.gemini_generate.media import Media, read_media, tell_media, write_media
from providers.dialects.gemini_generate.wire import Blob, File, Part

ALL = Capabilities()


def _write(media: Media, *, without: Feature | None = None, is_own: bool = False) -> Part:
    features = Capabilities(features=frozenset(Feature) - {without} if without else frozenset(Feature))
    return write_media(media, features, is_own=is_own, param="messages[0].content[0]")


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (Image(Source(data="aGk=", media_type="image/png")), Part(inline_data=Blob("image/png", "aGk="))),
        (
            Image(Source(url="https://a.b/c.PNG?x=1.gif")),
            Part(file_data=File("image/png", "https://a.b/c.PNG?x=1.gif")),
        ),
        (Image(Source(url="https://a.b/c")), Part(file_data=File("image/jpeg", "https://a.b/c"))),
        (Video(Source(url="https://youtu.be/x")), Part(file_data=File(None, "https://youtu.be/x"))),
        (Audio(Source(data="aGk="), format="mp3"), Part(inline_data=Blob("audio/mp3", "aGk="))),
        (Document(text="plain"), Part(text="plain")),
    ],
)
def test_media_are_written(media: Media, part: Part) -> None:
    assert _write(media) == part


@pytest.mark.parametrize(
    ("media", "without", "code"),
    [
        (Image(Source(data="aGk=")), Feature.IMAGES, "unsupported_content"),
        (Video(Source(data="aGk=")), Feature.VIDEO, "unsupported_content"),
        (Audio(Source(data="aGk=")), Feature.AUDIO, "unsupported_content"),
        (Document(Source(data="aGk=")), Feature.DOCUMENTS, "unsupported_content"),
        (Image(Source(url="https://a.b/c")), Feature.IMAGE_URLS, "unsupported_content"),
        (Image(Source(url="http://a.b/c")), None, "unsupported_content"),
        (Image(Source(file_id="file-1")), None, "unsupported_content"),
        (Image(Source(data="not base64!")), None, "invalid_base64"),
        (Image(Source(data="é")), None, "invalid_base64"),
    ],
)
def test_what_the_model_cannot_take_is_refused(media: Media, without: Feature | None, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _write(media, without=without)
    assert (caught.value.code, caught.value.param) == (code, "messages[0].content[0]")


def test_google_s_own_files_need_no_feature_and_its_own_bytes_no_check() -> None:
    own = Image(Source(url="https://generativelanguage.googleapis.com/v1beta/files/x", media_type="image/png"))
    assert _write(own, without=Feature.IMAGE_URLS).file_data is not None
    assert _write(Image(Source(data="a-_b")), is_own=True).inline_data is not None


@pytest.mark.parametrize(
    ("mime_type", "kind"),
    [("image/png", Image), ("audio/mpeg", Audio), ("video/mp4", Video), ("application/pdf", Document), ("", Document)],
)
def test_the_type_says_what_it_is(mime_type: str, kind: type[Media]) -> None:
    media = read_media(Part(inline_data=Blob(mime_type, "aGk=")))
    assert isinstance(media, kind)
    assert isinstance(media, Document) or tell_media(media) == Part(inline_data=Blob(mime_type, "aGk="))
    assert not isinstance(media, Audio) or media.format == "mp3"


def test_a_film_s_address_is_a_film() -> None:
    assert isinstance(read_media(Part(file_data=File(None, "https://www.youtube.com/watch?v=x"))), Video)
    assert read_media(Part(text="x")) is None
