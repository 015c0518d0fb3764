"""A path tells its door and its model, and never leads out of the provider's root."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.passthrough.paths import check_path, read_path
from kernel.errors import InvalidRequest
from providers.dialects import doors
from providers.dialects.codec import PathFacts
from providers.dialects.door import Door


@pytest.mark.parametrize(
    ("path", "door", "exact"),
    [
        ("chat/completions", doors.CHAT, True),
        ("v1/chat/completions", doors.CHAT, True),
        ("v1beta/openai/chat/completions", doors.CHAT, False),
        ("deployments/big/chat/completions", doors.CHAT, False),
        ("completions", doors.COMPLETIONS, True),
        ("v1/responses", doors.RESPONSES, True),
        ("v1/responses/input_tokens", doors.COUNT_RESPONSE, True),
        ("v1/messages", doors.MESSAGES, True),
        ("threads/t1/messages", doors.MESSAGES, False),
        ("v1/messages/count_tokens", doors.COUNT_MESSAGES, True),
        ("v2/rerank", doors.RERANK, True),
        ("v1beta/models/g:generateContent", doors.GENERATE, True),
        ("v1/projects/p/locations/l/publishers/x/models/g:generateContent", doors.GENERATE, True),
        ("elsewhere/models/g:generateContent", doors.GENERATE, False),
        ("v1beta/models/g:streamGenerateContent", doors.GENERATE_ARRAY, True),
        ("v1beta/models/g:predict", None, False),
        ("files", None, False),
        ("chat/completions/c1", None, False),
        ("xchat/completions", doors.COMPLETIONS, False),
    ],
)
def test_doors(path: str, door: Door | None, exact: bool) -> None:
    told = read_path("POST", path, "")
    assert told.door is door
    assert told.exact is exact


def test_only_a_post_makes_anything() -> None:
    assert read_path("GET", "chat/completions", "").door is None


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("v1beta/models/gem-2.5:generateContent", "gem-2.5"),
        ("deployments/big/chat/completions", "big"),
        ("model/a.claude-v1:0/converse", "a.claude-v1:0"),
        ("model/arn%3Aaws%3Abedrock%2Fx/converse", "arn:aws:bedrock/x"),
        ("models/m", "m"),
        ("files/f1", ""),
    ],
)
def test_models(path: str, model: str) -> None:
    assert read_path("POST", path, "").model == model


def test_a_stream_of_events_is_told_from_an_array() -> None:
    told = read_path("POST", "models/g:streamGenerateContent", "alt=sse")
    assert told.door is doors.GENERATE
    assert told.facts == PathFacts("g", stream=True)


@pytest.mark.parametrize(
    "path",
    [
        b"/../x",
        b"/a/..",
        b"/a/%2e%2e/b",
        b"/a%2F..%2Fb",
        b"/a/%252e%252e/b",
        b"/a/..%5cb",
        b"/a/..;x/b",
        b"/./a",
        b"//other.example/a",
        b"/a//b",
        b"/a%00b",
        b"/a%0d%0ab",
        b"/a b",
        b"/a#b",
    ],
)
def test_paths_that_stray_are_refused(path: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_path(path)
    assert caught.value.code == "unsafe_path"


@pytest.mark.parametrize("path", [b"/files", b"/files/", b"/model/arn%3Aaws%2Fx/converse", b"/a..b/.c", b"/a/%C3%A9"])
def test_paths_that_stay_pass(path: bytes) -> None:
    check_path(path)


@given(st.text(alphabet="a./%2eEfF5cC;\\", max_size=12))
def test_no_reading_of_a_path_that_passes_climbs(text: str) -> None:
    path = b"/" + text.encode()
    try:
        check_path(path)
    except InvalidRequest:
        return
    from_percent = path.replace(b"%2e", b".").replace(b"%2E", b".").replace(b"%2f", b"/").replace(b"%2F", b"/")
    assert b".." not in [part.partition(b";")[0] for part in from_percent.replace(b"\\", b"/").split(b"/")]
